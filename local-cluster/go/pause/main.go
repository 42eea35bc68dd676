// Command pause does nothing until it is told to end.
//
// It is the process of every pod's sandbox, which holds the pod's namespaces while its containers come and go, and
// the anchor that holds the namespaces of a whole cluster.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	<-end
}
