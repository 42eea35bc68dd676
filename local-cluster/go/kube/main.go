// Command kube holds every component of a single-node Kubernetes, its etcd, CoreDNS, kubeadm, kubectl and the provisioner
// of its volumes in one file.
//
// The name the file is called by picks the component, so a folder of symbolic links makes a whole set of programs.
// One file instead of ten: they share nearly all of their code, and link and load it once.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"

	"wasession.dev/local-cluster/kube/provisioner"
)

// A command is built only when it is asked for: each one registers a few hundred flags.
var components = map[string]func() *cobra.Command{
	"coredns":                  newCoreDNSCommand,
	"local-volume-provisioner": provisioner.Command,
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
