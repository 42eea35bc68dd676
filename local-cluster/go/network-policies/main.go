// The part of the cluster that enforces NetworkPolicy: kube-network-policies, which answers the kernel for the first
// packet of each connection. The `up` of the cluster starts it where policies are wanted, and lays the firewall rules
// that ask it (local_cluster/full/policies.py).
//
// A main of our own, as the one that comes with it is for a pod: it takes its credentials from there and serves metrics.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os/signal"
	"syscall"
	"time"

	nri "github.com/containerd/nri/pkg/api"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"
)

// noNode is the name of no node. The controller also lays nftables rules of its own, for the pods of its node; they need
// a module that many kernels lack (nft_queue), and see nothing of what goes to the node itself. For no node they are
// empty on every kernel. Which policies hold for a packet does not depend on it.
const noNode = "-"

func main() {
	kubeconfig := flag.String("kubeconfig", "", "how the API server is reached")
	queue := flag.Int("queue", 0, "the number of the NFQUEUE to answer")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, *kubeconfig, *queue); err != nil {
		klog.ErrorS(err, "NetworkPolicies are not enforced")
		klog.FlushAndExit(klog.ExitFlushTimeout, 1)
	}
}

func run(ctx context.Context, kubeconfig string, queue int) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	if err := waitForNRI(ctx); err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	// NRI stays on: 0.8.0 crashes without it on a packet from or to an address that is no pod's.
	controller, err := networkpolicy.NewController(
		client,
		factory.Networking().V1().NetworkPolicies(),
		factory.Core().V1().Namespaces(),
		factory.Core().V1().Pods(),
		nil, nil, nil, nil, // what admin policies need, which are off
		networkpolicy.Config{QueueID: queue, NodeName: noNode},
	)
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	return controller.Run(ctx)
}

// waitForNRI waits for the door by which containerd tells a new pod's address before the API server does. The controller
// knocks once, and without an answer a pod's first connections are judged by nobody.
func waitForNRI(ctx context.Context) error {
	knock := func(context.Context) (bool, error) {
		connection, err := net.Dial("unix", nri.DefaultSocketPath)
		if err != nil {
			return false, nil
		}
		return true, connection.Close()
	}
	if err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, time.Minute, true, knock); err != nil {
		return fmt.Errorf("containerd does not answer on %s: %w", nri.DefaultSocketPath, err)
	}
	return nil
}
