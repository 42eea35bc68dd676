package provisioner

import (
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

const (
	mib = 1 << 20
	gib = 1 << 30
	// smallest: smaller file systems have no room for ext4's journal; a claim for less gets this much.
	smallest = 16 * mib
)

// fileSize is the claim's size in bytes, rounded up to whole MiB as ext4 wants whole blocks.
func fileSize(claim *v1.PersistentVolumeClaim) int64 {
	asked := claim.Spec.Resources.Requests[v1.ResourceStorage]
	// Divided before it is rounded up: the sum of the usual way overflows on the largest quantity there is.
	whole, rest := asked.Value()/mib, asked.Value()%mib
	if rest > 0 {
		whole++
	}
	return max(smallest, min(whole, 1<<42)*mib)
}

// persistentVolume is the object for a claim's volume: a folder of one node. The library adds whose it is.
func persistentVolume(options controller.ProvisionOptions, path, node string, size int64) *v1.PersistentVolume {
	return &v1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: options.PVName},
		Spec: v1.PersistentVolumeSpec{
			Capacity:                      v1.ResourceList{v1.ResourceStorage: *resource.NewQuantity(size, resource.BinarySI)},
			AccessModes:                   options.PVC.Spec.AccessModes,
			VolumeMode:                    options.PVC.Spec.VolumeMode,
			PersistentVolumeReclaimPolicy: *options.StorageClass.ReclaimPolicy,
			PersistentVolumeSource:        v1.PersistentVolumeSource{Local: &v1.LocalVolumeSource{Path: path}},
			NodeAffinity: &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{NodeSelectorTerms: []v1.NodeSelectorTerm{{
				MatchExpressions: []v1.NodeSelectorRequirement{
					{Key: v1.LabelHostname, Operator: v1.NodeSelectorOpIn, Values: []string{node}},
				},
			}}}},
		},
	}
}

// isVolumeOf tells whether a PersistentVolume is this folder's on this node: another node may have the same paths.
func isVolumeOf(volume *v1.PersistentVolume, path, node string) bool {
	if volume.Spec.Local == nil || volume.Spec.Local.Path != path || volume.Spec.NodeAffinity == nil ||
		volume.Spec.NodeAffinity.Required == nil {
		return false
	}
	for _, term := range volume.Spec.NodeAffinity.Required.NodeSelectorTerms {
		for _, expression := range term.MatchExpressions {
			if expression.Key == v1.LabelHostname && len(expression.Values) == 1 && expression.Values[0] == node {
				return true
			}
		}
	}
	return false
}

// isReleased tells whether a volume's file is to be deleted: its claim is gone, and its policy says so.
func isReleased(volume *v1.PersistentVolume) bool {
	return volume.Status.Phase == v1.VolumeReleased &&
		volume.Spec.PersistentVolumeReclaimPolicy == v1.PersistentVolumeReclaimDelete
}
