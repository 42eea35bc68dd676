package provisioner

import (
	"context"
	"errors"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// selectedNode is the scheduler's word on a claim: the node whose pod needs it first.
const selectedNode = "volume.kubernetes.io/selected-node"

// loopProvisioner is what the library asks to make and to remove volumes. It calls several methods at a time, for
// different volumes and, when a watch lags behind, for one: the disk's lock per volume keeps those apart.
type loopProvisioner struct {
	client kubernetes.Interface
	disk   *disk
	node   string
}

var (
	_ controller.Provisioner      = &loopProvisioner{}
	_ controller.Qualifier        = &loopProvisioner{}
	_ controller.DeletionGuard    = &loopProvisioner{}
	_ controller.BlockProvisioner = &loopProvisioner{}
)

// Provision makes the claim's volume, or takes up what an earlier, interrupted call has left of it.
func (p *loopProvisioner) Provision(
	ctx context.Context, options controller.ProvisionOptions,
) (*v1.PersistentVolume, controller.ProvisioningState, error) {
	if why := refusal(options); why != "" {
		return nil, controller.ProvisioningFinished, errors.New(why)
	}
	begin, size := time.Now(), fileSize(options.PVC)
	if err := p.disk.provide(ctx, options.PVName, size); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	klog.InfoS("volume made", "volume", options.PVName, "milliseconds", time.Since(begin).Milliseconds())
	return persistentVolume(options, p.disk.data(options.PVName), p.node, size), controller.ProvisioningFinished, nil
}

// Delete removes a released volume's file. The library's word comes from a watch, and data is not deleted on that
// alone: the API server itself is asked first.
func (p *loopProvisioner) Delete(ctx context.Context, volume *v1.PersistentVolume) error {
	current, err := p.client.CoreV1().PersistentVolumes().Get(ctx, volume.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return &controller.IgnoredError{Reason: "the PersistentVolume is gone, and with it the word that its file may go"}
	}
	if err != nil {
		return err
	}
	if current.UID != volume.UID || !p.ShouldDelete(ctx, current) || !isReleased(current) {
		return &controller.IgnoredError{Reason: "the PersistentVolume is no longer one to delete"}
	}
	if err := p.disk.remove(ctx, volume.Name); err != nil {
		return err
	}
	klog.InfoS("volume removed", "volume", volume.Name)
	return nil
}

// ShouldProvision takes the claims that the scheduler has sent to this node, and those that need no scheduler.
func (p *loopProvisioner) ShouldProvision(_ context.Context, claim *v1.PersistentVolumeClaim) bool {
	node := claim.Annotations[selectedNode]
	return claim.DeletionTimestamp == nil && (node == p.node || node == "")
}

// ShouldDelete takes the volumes of this node and this folder.
func (p *loopProvisioner) ShouldDelete(_ context.Context, volume *v1.PersistentVolume) bool {
	return isVolumeOf(volume, p.disk.data(volume.Name), p.node)
}

// SupportsBlock says yes so that the refusal of a block volume is Provision's, which says what to do instead.
func (p *loopProvisioner) SupportsBlock(context.Context) bool { return true }
