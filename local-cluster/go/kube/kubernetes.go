//go:build !released

package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubeadm "k8s.io/kubernetes/cmd/kubeadm/app/cmd"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	// The components register their log formats and client metrics through these, as their own main packages do.
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
)

// What Kubernetes itself publishes as programs. With the tag `released` it is left out: somebody has those.
func init() {
	components["kube-apiserver"] = apiserver.NewAPIServerCommand
	components["kube-controller-manager"] = controllermanager.NewControllerManagerCommand
	components["kube-proxy"] = proxy.NewProxyCommand
	components["kube-scheduler"] = func() *cobra.Command { return scheduler.NewSchedulerCommand() }
	components["kubeadm"] = func() *cobra.Command { return kubeadm.NewKubeadmCommand(os.Stdin, os.Stdout, os.Stderr) }
	components["kubectl"] = func() *cobra.Command { return kubectl.NewDefaultKubectlCommand() }
	components["kubelet"] = func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) }
}
