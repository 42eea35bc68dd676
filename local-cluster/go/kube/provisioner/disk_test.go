package provisioner

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const name = "pvc-u1"

func opened(t *testing.T) *disk {
	t.Helper()
	disk, err := openDisk(t.TempDir() + "/state with a space")
	if err != nil {
		t.Fatal(err)
	}
	return disk
}

func write(t *testing.T, file string) {
	t.Helper()
	if err := os.WriteFile(file, []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// Nobody but root looks into the folders, and a second provisioner on them is refused until the first has ended.
func TestTheFolderIsOurs(t *testing.T) {
	disk := opened(t)
	if facts, err := os.Stat(disk.root); err != nil || facts.Mode().Perm() != 0o700 {
		t.Errorf("expected 0700, got %v, %v", facts, err)
	}
	first, err := holdAlone(disk.root)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := holdAlone(disk.root); err == nil || !strings.Contains(err.Error(), "another provisioner works on "+disk.root) {
		t.Errorf("expected a refusal, got %v", err)
	}
	first.Close()
	third, err := holdAlone(disk.root)
	if err != nil {
		t.Fatal(err)
	}
	third.Close()
}

// What a volume may still grow by is nobody else's, from the moment its file exists; what is put aside does not grow.
func TestTheDiskIsNotPromisedTwice(t *testing.T) {
	disk := opened(t)
	before, err := disk.unpromised()
	if err != nil {
		t.Fatal(err)
	}
	if err := disk.promise(disk.file("new", name), before/2); err != nil {
		t.Fatal(err)
	}
	for _, stage := range []string{"new", "volumes"} {
		if err := os.Rename(disk.file("new", name), disk.file(stage, name)); err != nil {
			t.Fatal(err)
		}
		if after, err := disk.unpromised(); err != nil || after > before-before/2+gib {
			t.Errorf("%s: %d of %d are still there to be promised, %v", stage, after, before, err)
		}
	}
	if err := disk.promise(disk.file("new", "pvc-u2"), before); err == nil || !strings.Contains(err.Error(), "the host's disk has only") {
		t.Errorf("promised twice: %v", err)
	}
	if exists(disk.file("new", "pvc-u2")) {
		t.Error("a refused claim has left a file")
	}
	if err := os.Rename(disk.file("volumes", name), disk.file("retained", name)); err != nil {
		t.Fatal(err)
	}
	if after, err := disk.unpromised(); err != nil || after < before-gib {
		t.Errorf("a retained volume is still reckoned with: %d of %d, %v", after, before, err)
	}
}

// What mkfs had not finished when the process ended was nobody's yet; other people's files are no volumes.
func TestRestoreForgetsHalfMadeVolumes(t *testing.T) {
	disk := opened(t)
	write(t, disk.file("new", name))
	write(t, disk.root+"/volumes/README")
	disk.restore(context.Background())
	if exists(disk.file("new", name)) {
		t.Error("the half-made file is still there")
	}
	if names, err := disk.names("volumes"); err != nil || len(names) != 0 {
		t.Errorf("taken for volumes: %v, %v", names, err)
	}
}

// A failed mkfs leaves nothing that would count as promised, and its words are the error.
func TestAFailedFormatLeavesNothing(t *testing.T) {
	disk, tools := opened(t), t.TempDir()
	if err := os.WriteFile(tools+"/mkfs.ext4", []byte("#!/bin/sh\necho the disk is on fire >&2\nexit 3\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", tools+":"+os.Getenv("PATH"))
	err := disk.provide(context.Background(), name, 16*mib)
	if err == nil || err.Error() != "mkfs.ext4 ended with 3: the disk is on fire" {
		t.Errorf("got %v", err)
	}
	if exists(disk.file("new", name)) || exists(disk.file("volumes", name)) {
		t.Error("a file is left")
	}
}

// A command's status is a failure above what the caller finds fine; one that is not there is named.
func TestExecute(t *testing.T) {
	ctx := context.Background()
	if err := execute(ctx, fsckCorrected, "sh", "-c", "exit 1"); err != nil {
		t.Errorf("corrected is fine: %v", err)
	}
	if err := execute(ctx, fsckCorrected, "sh", "-c", "echo bad; exit 4"); err == nil || err.Error() != "sh ended with 4: bad" {
		t.Errorf("got %v", err)
	}
	for _, words := range [][]string{{"sh", "-c", "kill -9 $$"}, {"/no/such/program"}} {
		if err := execute(ctx, 255, words...); err == nil || !strings.HasPrefix(err.Error(), words[0]+" failed: ") {
			t.Errorf("got %v", err)
		}
	}
}

// server plays an API server that has this PersistentVolume, or none.
func server(t *testing.T, volume *v1.PersistentVolume) kubernetes.Interface {
	t.Helper()
	play := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		answer.Header().Set("Content-Type", "application/json")
		if volume == nil {
			answer.WriteHeader(http.StatusNotFound)
			json.NewEncoder(answer).Encode(metav1.Status{
				TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Reason: "NotFound", Code: 404,
			})
			return
		}
		volume.TypeMeta = metav1.TypeMeta{Kind: "PersistentVolume", APIVersion: "v1"}
		json.NewEncoder(answer).Encode(volume)
	}))
	t.Cleanup(play.Close)
	return kubernetes.NewForConfigOrDie(&rest.Config{Host: play.URL})
}

// A watch that lags behind deletes nothing: the API server has the last word on every file.
func TestDeleteAsksTheAPIServer(t *testing.T) {
	for state, test := range map[string]struct {
		change func(*v1.PersistentVolume) *v1.PersistentVolume
		kept   bool
	}{
		"as the watch said":    {change: func(v *v1.PersistentVolume) *v1.PersistentVolume { return v }},
		"gone":                 {change: func(*v1.PersistentVolume) *v1.PersistentVolume { return nil }, kept: true},
		"bound":                {change: func(v *v1.PersistentVolume) *v1.PersistentVolume { v.Status.Phase = v1.VolumeBound; return v }, kept: true},
		"another of that name": {change: func(v *v1.PersistentVolume) *v1.PersistentVolume { v.UID = "2"; return v }, kept: true},
		"to be kept": {change: func(v *v1.PersistentVolume) *v1.PersistentVolume {
			v.Spec.PersistentVolumeReclaimPolicy = "Retain"
			return v
		}, kept: true},
		"another node's, by now": {change: func(v *v1.PersistentVolume) *v1.PersistentVolume { v.Spec.NodeAffinity = nil; return v }, kept: true},
	} {
		disk := opened(t)
		write(t, disk.file("volumes", name))
		seen := persistentVolume(optionsFor(claimOf("1Gi")), disk.data(name), "one", gib)
		seen.UID, seen.Status.Phase = "1", v1.VolumeReleased
		provisioner := &loopProvisioner{client: server(t, test.change(seen.DeepCopy())), disk: disk, node: "one"}

		err := provisioner.Delete(context.Background(), seen)

		if exists(disk.file("volumes", name)) != test.kept || (err != nil) != test.kept {
			t.Errorf("%s: expected kept %t, got error %v", state, test.kept, err)
		}
	}
}

// A claim is this node's when the scheduler says so, or nobody has to; one that is being deleted gets nothing.
func TestShouldProvision(t *testing.T) {
	provisioner := &loopProvisioner{node: "one"}
	for node, expected := range map[string]bool{"one": true, "two": false, "": true} {
		claim := claimOf("1Gi")
		claim.Annotations = map[string]string{selectedNode: node}
		if got := provisioner.ShouldProvision(context.Background(), claim); got != expected {
			t.Errorf("%q: expected %t", node, expected)
		}
		now := metav1.Now()
		claim.DeletionTimestamp = &now
		if provisioner.ShouldProvision(context.Background(), claim) {
			t.Errorf("%q: provisioned although it is being deleted", node)
		}
	}
}
