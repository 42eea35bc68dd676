// Command kube holds every component of a single-node Kubernetes, its etcd and kubectl in one file.
//
// The name the file is called by picks the component, so a folder of symbolic links makes a whole set of programs.
// One file instead of seven: they share nearly all of their code, and link and load it once.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	// The components register their log formats and client metrics through these, as their own main packages do.
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
)

// A command is built only when it is asked for: each one registers a few hundred flags.
var components = map[string]func() *cobra.Command{
	"coredns":                 newCoreDNSCommand,
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllermanager.NewControllerManagerCommand,
	"kube-proxy":              proxy.NewProxyCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kubectl":                 func() *cobra.Command { return kubectl.NewDefaultKubectlCommand() },
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
}

func main() {
	called := filepath.Base(os.Args[0])
	if called == "etcd" { // brings its own flag parser and ends the process itself
		etcdmain.Main(os.Args)
		return
	}
	build, known := components[called]
	if !known {
		names := []string{"etcd"}
		for name := range components {
			names = append(names, name)
		}
		slices.Sort(names)
		fmt.Fprintf(os.Stderr, "%s: call this file by the name of a component: %s\n", called, strings.Join(names, ", "))
		os.Exit(2)
	}
	os.Exit(cli.Run(build()))
}
