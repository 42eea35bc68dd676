// Prints the seccomp profile for a container whose Chromium has its own sandbox on: `make seccomp-profile` writes it to
// manifests/components/browser-sandbox. The source is the profile that containerd gives a container without
// capabilities (RuntimeDefault), at the version in go.mod; what differs, and nothing else, is below.
package main

import (
	"encoding/json"
	"log"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/contrib/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// The namespaces that a new process must not have for itself: cgroup, mount, uts, ipc. What is left is what the sandbox
// is made of: user, pid and network.
const keptShut = 0x02000000 | 0x00020000 | 0x04000000 | 0x08000000

// Of these we have rules of our own.
var ours = []string{"clone", "unshare", "chroot"}

func main() {
	if runtime.GOARCH != "amd64" {
		log.Fatal("run it on amd64: the profile's list depends on the machine it is made on")
	}
	profile := seccomp.DefaultProfile(&specs.Spec{Process: &specs.Process{Capabilities: &specs.LinuxCapabilities{}}})
	profile.Syscalls = slices.DeleteFunc(profile.Syscalls, func(rule specs.LinuxSyscall) bool {
		return slices.ContainsFunc(rule.Names, func(name string) bool { return slices.Contains(ours, name) })
	})
	for position := range profile.Syscalls {
		rule := &profile.Syscalls[position]
		// Never needed here, and the kernel's interface with the most holes of recent years.
		rule.Names = slices.DeleteFunc(rule.Names, func(name string) bool { return strings.HasPrefix(name, "io_uring_") })
	}
	masked := []specs.LinuxSeccompArg{{Index: 0, Value: keptShut, ValueTwo: 0, Op: specs.OpMaskedEqual}}
	profile.Syscalls = append(profile.Syscalls,
		specs.LinuxSyscall{Names: []string{"clone"}, Action: specs.ActAllow, Args: masked},
		specs.LinuxSyscall{Names: []string{"unshare"}, Action: specs.ActAllow, Args: masked},
		// Into an empty folder; it takes a capability, which a process has in a user namespace of its own alone.
		specs.LinuxSyscall{Names: []string{"chroot"}, Action: specs.ActAllow},
		// What containerd adds on arm64. A name that a machine does not have is left out by the runtime.
		specs.LinuxSyscall{Names: []string{
			"arm_fadvise64_64", "arm_sync_file_range", "sync_file_range2", "breakpoint", "cacheflush", "set_tls",
		}, Action: specs.ActAllow},
	)
	profile.Architectures = append(profile.Architectures, specs.ArchAARCH64, specs.ArchARM)
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", " ")
	if err := out.Encode(profile); err != nil {
		log.Fatal(err)
	}
}
