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

// step is what the resync does about one volume.
type step int

const (
	nothing step = iota
	// remount: it should be mounted and is not, as after a reboot with a broken file system.
	remount
	// reportLoss: somebody deleted its file, and its pods cannot start.
	reportLoss
	// retainFile: nobody asks for its data any more, and nobody ever said that it may be deleted.
	retainFile
)

// nextStep decides, from what is there of a volume: its file, its mount, its PersistentVolume, and the claim it was
// made for. Making and removing are the library's; this is about all that it never hears of.
func nextStep(file, mounted bool, volume *v1.PersistentVolume, claim bool) step {
	switch {
	case volume == nil && file && !claim:
		return retainFile
	case volume == nil || volume.Status.Phase == v1.VolumeReleased || volume.Status.Phase == v1.VolumeFailed:
		return nothing // being made, or about to be removed
	case !file:
		return reportLoss
	case !mounted:
		return remount
	}
	return nothing
}

// resyncer looks at every volume of the folder each minute, and when a PersistentVolume has gone.
type resyncer struct {
	client      kubernetes.Interface
	disk        *disk
	provisioner *loopProvisioner
	claims      cache.Store
	volumes     cache.Store
	events      record.EventRecorder
}

func (r *resyncer) run(ctx context.Context, wake <-chan struct{}) {
	for ctx.Err() == nil {
		if err := r.resync(ctx); err != nil {
			klog.ErrorS(err, "looking after the volumes failed, to be tried again")
		}
		select {
		case <-ctx.Done():
		case <-wake:
		case <-time.After(resyncInterval):
		}
	}
}

// resync looks at all that there is a file or a PersistentVolume of.
func (r *resyncer) resync(ctx context.Context) error {
	files, err := r.disk.names("volumes")
	if err != nil {
		return err
	}
	names := sets.New(files...)
	for _, found := range r.volumes.List() {
		names.Insert(found.(*v1.PersistentVolume).Name)
	}
	claims := map[string]*v1.PersistentVolumeClaim{}
	for _, found := range r.claims.List() {
		claim := found.(*v1.PersistentVolumeClaim)
		claims["pvc-"+string(claim.UID)] = claim
	}
	for name := range names {
		reconcile := func() error { return r.reconcile(ctx, name, claims[name]) }
		logged(r.disk.exclusively(name, reconcile), "volume not looked after, to be tried again", name)
	}
	return nil
}

// reconcile judges one volume and does what is to be done. Nobody makes or removes it meanwhile, so a file that is missing
// is not one that is about to come, or has just been deleted for good.
func (r *resyncer) reconcile(ctx context.Context, name string, claim *v1.PersistentVolumeClaim) error {
	file, err := r.disk.has(name)
	if err != nil {
		return err
	}
	mounted, err := r.disk.mounted(name)
	if err != nil {
		return err
	}
	found, known, err := r.volumes.GetByKey(name)
	if err != nil {
		return err
	}
	var volume *v1.PersistentVolume
	if known {
		volume = found.(*v1.PersistentVolume)
		if !r.provisioner.ShouldDelete(ctx, volume) {
			return nil // another node's, or somebody else's
		}
	}
	switch nextStep(file, mounted, volume, claim != nil) {
	case remount:
		return r.disk.mount(ctx, name)
	case retainFile:
		return r.retain(ctx, name)
	case reportLoss:
		r.recordLoss(name, claim)
	}
	return nil
}

func (r *resyncer) retain(ctx context.Context, name string) error {
	// Not on the word of a watch alone: it may not have shown yet what we have created ourselves.
	if _, err := r.client.CoreV1().PersistentVolumes().Get(ctx, name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		return err
	}
	klog.InfoS("volume put aside, nobody asks for it", "volume", name)
	return r.disk.retain(ctx, name)
}

func (r *resyncer) recordLoss(name string, claim *v1.PersistentVolumeClaim) {
	klog.InfoS("volume lost", "volume", name)
	if claim != nil {
		r.events.Eventf(claim, v1.EventTypeWarning, "VolumeLost",
			"the file of volume %s is gone from this machine: its data is lost, delete the claim", name)
	}
}
