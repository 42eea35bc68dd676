package main

import (
	"errors"
	"log"
	"os"

	"github.com/coredns/caddy"
	"github.com/spf13/cobra"

	// CoreDNS with the plugins that the cluster's Corefile names and no other: those for clouds bring half a million
	// lines of their makers' clients. Its own main package would register its flags for every component here.
	_ "github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/template"
)

// newCoreDNSCommand serves the names of the cluster until it is told to end.
func newCoreDNSCommand() *cobra.Command {
	var file string
	command := &cobra.Command{
		Use:          "coredns --conf COREFILE",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE:         func(*cobra.Command, []string) error { return serveNames(file) },
	}
	command.Flags().StringVar(&file, "conf", "Corefile", "The file that says which names are served, and where")
	return command
}

func serveNames(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if len(text) == 0 { // an empty one is no mistake to caddy: it would serve nothing, and wait
		return errors.New(file + " is empty")
	}
	// The kubernetes plugin hands klog's lines to the standard logger, whose lines the components' command line hands to
	// klog: the first line after the plugin's start would wait for its own lock, for ever.
	log.SetOutput(os.Stdout)
	caddy.Quiet = true // no banner
	caddy.TrapSignals()
	server, err := caddy.Start(caddy.CaddyfileInput{Contents: text, Filepath: file, ServerTypeName: "dns"})
	if err != nil {
		return err
	}
	server.Wait()
	return nil
}
