package provisioner

import (
	"context"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"
)

// step is what the keeper does about one volume.
type step int

const (
	nothing step = iota
	// mountAgain: it should be mounted and is not, as after a reboot with a broken file system.
	mountAgain
	// tellLoss: somebody deleted its file, and its pods cannot start.
	tellLoss
	// putAside: nobody asks for its data any more, and nobody ever said that it may be deleted.
	putAside
)

// nextStep decides, from what is there of a volume: its file, its mount, its PersistentVolume, and the claim it was
// made for. Making and removing are the library's; this is about all that it never hears of.
func nextStep(file, mounted bool, volume *v1.PersistentVolume, claim bool) step {
	switch {
	case volume == nil && file && !claim:
		return putAside
	case volume == nil || volume.Status.Phase == v1.VolumeReleased || volume.Status.Phase == v1.VolumeFailed:
		return nothing // being made, or about to be removed
	case !file:
		return tellLoss
	case !mounted:
		return mountAgain
	}
	return nothing
}

// keeper looks at every volume of the folder each minute, and when a PersistentVolume has gone.
type keeper struct {
	client      kubernetes.Interface
	disk        *disk
	provisioner *loopProvisioner
	claims      cache.Store
	volumes     cache.Store
	events      record.EventRecorder
}

func (k *keeper) run(ctx context.Context, wake <-chan struct{}) {
	for ctx.Err() == nil {
		if err := k.sweep(ctx); err != nil {
			klog.ErrorS(err, "looking after the volumes failed, to be tried again")
		}
		select {
		case <-ctx.Done():
		case <-wake:
		case <-time.After(sweepInterval):
		}
	}
}

// sweep looks at all that there is a file or a PersistentVolume of.
func (k *keeper) sweep(ctx context.Context) error {
	files, err := k.disk.names("volumes")
	if err != nil {
		return err
	}
	names := sets.New(files...)
	for _, found := range k.volumes.List() {
		names.Insert(found.(*v1.PersistentVolume).Name)
	}
	claims := map[string]*v1.PersistentVolumeClaim{}
	for _, found := range k.claims.List() {
		claim := found.(*v1.PersistentVolumeClaim)
		claims["pvc-"+string(claim.UID)] = claim
	}
	for name := range names {
		look := func() error { return k.look(ctx, name, claims[name]) }
		logged(k.disk.exclusively(name, look), "volume not looked after, to be tried again", name)
	}
	return nil
}

// look judges one volume and does what is to be done. Nobody makes or removes it meanwhile, so a file that is missing
// is not one that is about to come, or has just been deleted for good.
func (k *keeper) look(ctx context.Context, name string, claim *v1.PersistentVolumeClaim) error {
	file, err := k.disk.has(name)
	if err != nil {
		return err
	}
	mounted, err := k.disk.mounted(name)
	if err != nil {
		return err
	}
	found, known, err := k.volumes.GetByKey(name)
	if err != nil {
		return err
	}
	var volume *v1.PersistentVolume
	if known {
		volume = found.(*v1.PersistentVolume)
		if !k.provisioner.ShouldDelete(ctx, volume) {
			return nil // another node's, or somebody else's
		}
	}
	switch nextStep(file, mounted, volume, claim != nil) {
	case mountAgain:
		return k.disk.mount(ctx, name)
	case putAside:
		return k.putAside(ctx, name)
	case tellLoss:
		k.tellLoss(name, claim)
	}
	return nil
}

func (k *keeper) putAside(ctx context.Context, name string) error {
	// Not on the word of a watch alone: it may not have shown yet what we have created ourselves.
	if _, err := k.client.CoreV1().PersistentVolumes().Get(ctx, name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		return err
	}
	klog.InfoS("volume put aside, nobody asks for it", "volume", name)
	return k.disk.retain(ctx, name)
}

func (k *keeper) tellLoss(name string, claim *v1.PersistentVolumeClaim) {
	klog.InfoS("volume lost", "volume", name)
	if claim != nil {
		k.events.Eventf(claim, v1.EventTypeWarning, "VolumeLost",
			"the file of volume %s is gone from this machine: its data is lost, delete the claim", name)
	}
}
