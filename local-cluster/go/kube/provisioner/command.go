// Package provisioner makes volumes on demand for the local cluster: each claim of the class local-loop gets an ext4
// of the asked size in a file of its own, loop-mounted on the host.
//
// The cluster's `up` starts Command on each node, beside the kubelet and in its mount namespace: a mount made in
// another one is not seen by pods. The queue, the retries, the events and the PersistentVolumes' finalizer are those
// of sig-storage-lib-external-provisioner; what is ours is the disk (disk.go), what a claim may ask for (refusals.go),
// and the watch over what lies on the disk already (resync.go). docs/design/volumes.md tells why it is built so.
package provisioner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	v1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// Name is what a StorageClass names, and what our PersistentVolumes are annotated with.
const Name = "local.wasession.dev/loop"

// userAgent is how the API server's audit log names this process.
const userAgent = "local-volume-provisioner"

// resyncInterval bounds how long anything waits for another look: a claim, a mount that failed, a file nobody asks for.
const resyncInterval = time.Minute

// Command runs the provisioner of one node until SIGTERM. It leaves its mounts in place: pods keep their volumes
// while it is away.
func Command() *cobra.Command {
	var kubeconfig, folder, node string
	command := &cobra.Command{
		Use:   userAgent,
		Short: "Make and remove the volumes of one node of the local cluster",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			return run(ctx, kubeconfig, folder, node)
		},
	}
	flags := command.Flags()
	flags.StringVar(&kubeconfig, "kubeconfig", "", "how to reach the API server")
	flags.StringVar(&folder, "state-dir", "", "where the volumes' files and mounts lie")
	flags.StringVar(&node, "node", "", "the name of the node whose volumes these are")
	for _, name := range []string{"kubeconfig", "state-dir", "node"} {
		cobra.CheckErr(command.MarkFlagRequired(name))
	}
	return command
}

func run(ctx context.Context, kubeconfig, folder, node string) error {
	if err := checkMachine(); err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	// The limits of the cluster's other controllers: with client-go's 5 a second, a test of many claims measures them.
	config.UserAgent, config.QPS, config.Burst = userAgent, 200, 300
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	disk, err := openDisk(folder)
	if err != nil {
		return err
	}
	lock, err := holdAlone(disk.root)
	if err != nil {
		return err
	}
	defer lock.Close()
	// Before the API server is asked: after a reboot the kubelet does not wait for us.
	disk.restore(ctx)
	return follow(ctx, client, disk, node)
}

// follow serves claims until the context ends.
func follow(ctx context.Context, client kubernetes.Interface, disk *disk, node string) error {
	factory := informers.NewSharedInformerFactory(client, resyncInterval)
	claims := factory.Core().V1().PersistentVolumeClaims().Informer()
	volumes := factory.Core().V1().PersistentVolumes().Informer()
	provisioner := &loopProvisioner{client: client, disk: disk, node: node}
	resyncer := &resyncer{
		client:      client,
		disk:        disk,
		provisioner: provisioner,
		claims:      claims.GetStore(),
		volumes:     volumes.GetStore(),
		events:      eventRecorder(client),
	}
	wake := make(chan struct{}, 1)
	if _, err := volumes.AddEventHandler(cache.ResourceEventHandlerFuncs{DeleteFunc: func(any) { nudge(wake) }}); err != nil {
		return err
	}
	control := controller.NewProvisionController(ctx, client, Name, provisioner,
		controller.LeaderElection(false), // its claims are one node's, and the folder's lock keeps a second one away
		controller.AddFinalizer(true),
		controller.ClaimsInformer(claims),
		controller.VolumesInformer(volumes),
		controller.ResyncPeriod(resyncInterval),
		controller.RateLimiter(backoff()),
		controller.FailedProvisionThreshold(0), // 0: for ever, and the same for the next
		controller.FailedDeleteThreshold(0),
		// A PersistentVolume is sent until it is stored. The library's other way deletes a volume whose object it could
		// not store, and an answer that was lost looks the same as a refusal.
		controller.CreateProvisionedPVLimiter(backoff()),
	)
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), claims.HasSynced, volumes.HasSynced) {
		return nil // ended before the API server was there
	}
	klog.InfoS("following claims", "node", node, "folder", disk.root)
	go resyncer.run(ctx, wake)
	control.Run(ctx)
	return nil
}

func backoff() workqueue.TypedRateLimiter[string] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[string](time.Second, time.Minute)
}

func eventRecorder(client kubernetes.Interface) record.EventRecorder {
	broadcaster := record.NewBroadcaster()
	broadcaster.StartRecordingToSink(&corev1.EventSinkImpl{Interface: client.CoreV1().Events(v1.NamespaceAll)})
	return broadcaster.NewRecorder(scheme.Scheme, v1.EventSource{Component: Name})
}

func nudge(wake chan<- struct{}) {
	select {
	case wake <- struct{}{}:
	default: // it is awake already, or will be
	}
}

func checkMachine() error {
	if os.Geteuid() != 0 {
		return errors.New("mounting volumes needs root: run it as root")
	}
	var missing []string
	for _, name := range []string{"mkfs.ext4", "e2fsck", "mount", "umount", "losetup"} {
		if _, err := exec.LookPath(name); err != nil {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%s not found: apt-get install e2fsprogs mount util-linux", strings.Join(missing, ", "))
	}
	return nil
}

// holdAlone takes the folder's lock; the kernel lets go of it however this process ends.
func holdAlone(folder string) (*os.File, error) {
	lock, err := os.OpenFile(filepath.Join(folder, "lock"), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("another provisioner works on %s: end it first", folder)
	}
	return lock, nil
}
