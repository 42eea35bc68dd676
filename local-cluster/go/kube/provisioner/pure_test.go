package provisioner

import (
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

func claimOf(size string) *v1.PersistentVolumeClaim {
	return &v1.PersistentVolumeClaim{Spec: v1.PersistentVolumeClaimSpec{
		AccessModes: []v1.PersistentVolumeAccessMode{v1.ReadWriteOncePod},
		Resources:   v1.VolumeResourceRequirements{Requests: v1.ResourceList{v1.ResourceStorage: resource.MustParse(size)}},
	}}
}

func optionsFor(claim *v1.PersistentVolumeClaim) controller.ProvisionOptions {
	policy := v1.PersistentVolumeReclaimDelete
	class := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "local-loop"}, ReclaimPolicy: &policy}
	return controller.ProvisionOptions{PVName: "pvc-u1", PVC: claim, StorageClass: class}
}

// A file system has at least 16 MiB and whole MiB, whatever notation the claim has; the largest does not overflow.
func TestFileSize(t *testing.T) {
	for asked, expected := range map[string]int64{
		"1": 16 * mib, "0": 16 * mib, "16Mi": 16 * mib, "16777217": 17 * mib, "100M": 96 * mib, "1.5Gi": 1536 * mib,
		"1e9": 954 * mib, "500m": 16 * mib, "1Pi": 1 << 50, "9223372036854775807": 1 << 62, "100Ei": 1 << 62,
	} {
		if size := fileSize(claimOf(asked)); size != expected {
			t.Errorf("%s: expected %d, got %d", asked, expected, size)
		}
	}
}

// Each kind of claim that can get no volume is told why and what to ask for instead; the others are not refused.
func TestRefusal(t *testing.T) {
	block, filesystem := v1.PersistentVolumeBlock, v1.PersistentVolumeFilesystem
	for expected, spoil := range map[string]func(*controller.ProvisionOptions){
		"has parameters (a, b), and none exist here": func(o *controller.ProvisionOptions) {
			o.StorageClass.Parameters = map[string]string{"b": "2", "a": "1"}
		},
		"volumeMode Block is not offered: ask for Filesystem": func(o *controller.ProvisionOptions) {
			o.PVC.Spec.VolumeMode = &block
		},
		"access mode ReadWriteOnce, ReadWriteMany is not offered on a single node: ask for ReadWriteOncePod": func(o *controller.ProvisionOptions) {
			o.PVC.Spec.AccessModes = []v1.PersistentVolumeAccessMode{v1.ReadWriteOnce, v1.ReadWriteMany}
		},
		"access mode ReadOnlyMany is not offered": func(o *controller.ProvisionOptions) {
			o.PVC.Spec.AccessModes = []v1.PersistentVolumeAccessMode{v1.ReadOnlyMany}
		},
		"remove spec.selector": func(o *controller.ProvisionOptions) { o.PVC.Spec.Selector = &metav1.LabelSelector{} },
		"remove spec.dataSource": func(o *controller.ProvisionOptions) {
			o.PVC.Spec.DataSource = &v1.TypedLocalObjectReference{Kind: "PersistentVolumeClaim", Name: "other"}
		},
		"and spec.dataSourceRef": func(o *controller.ProvisionOptions) {
			o.PVC.Spec.DataSourceRef = &v1.TypedObjectReference{Kind: "Populator", Name: "x"}
		},
	} {
		options := optionsFor(claimOf("1Gi"))
		spoil(&options)
		if why := refusal(options); !strings.Contains(why, expected) {
			t.Errorf("expected %q, got %q", expected, why)
		}
	}
	for _, mode := range []*v1.PersistentVolumeMode{nil, &filesystem} {
		for _, access := range []v1.PersistentVolumeAccessMode{v1.ReadWriteOncePod, v1.ReadWriteOnce} {
			options := optionsFor(claimOf("1Gi"))
			options.PVC.Spec.VolumeMode, options.PVC.Spec.AccessModes = mode, []v1.PersistentVolumeAccessMode{access}
			if why := refusal(options); why != "" {
				t.Errorf("%s refused: %s", access, why)
			}
		}
	}
}

// The disk may be promised to its last byte and no further; the message has both figures for a person's eye.
func TestTooLarge(t *testing.T) {
	if why := tooLarge(gib, gib); why != "" {
		t.Errorf("refused although it fits: %s", why)
	}
	for unpromised, expected := range map[int64]string{gib - 1: "has only 1023 MiB left", -5 * gib: "has only 0 MiB left"} {
		if why := tooLarge(gib, unpromised); !strings.Contains(why, "asks for 1.0 GiB") || !strings.Contains(why, expected) {
			t.Errorf("expected %q, got %q", expected, why)
		}
	}
}

// The PersistentVolume is one folder on one node, as large and in the modes that the claim asked for.
func TestPersistentVolume(t *testing.T) {
	options := optionsFor(claimOf("100M"))
	retain := v1.PersistentVolumeReclaimRetain
	options.StorageClass.ReclaimPolicy = &retain
	volume := persistentVolume(options, "/state/mounts/pvc-u1/data", "one", 96*mib)

	size := volume.Spec.Capacity[v1.ResourceStorage]
	if volume.Name != "pvc-u1" || size.String() != "96Mi" || volume.Spec.PersistentVolumeReclaimPolicy != retain ||
		volume.Spec.AccessModes[0] != v1.ReadWriteOncePod || volume.Spec.Local.Path != "/state/mounts/pvc-u1/data" {
		t.Errorf("not what was asked for: %+v", volume)
	}
	if !isVolumeOf(volume, "/state/mounts/pvc-u1/data", "one") {
		t.Error("not known as its own node's")
	}
	if isVolumeOf(volume, "/state/mounts/pvc-u1/data", "two") || isVolumeOf(volume, "/other/mounts/pvc-u1/data", "one") ||
		isVolumeOf(&v1.PersistentVolume{}, "", "one") {
		t.Error("taken for another node's, another folder's or no local volume's")
	}
}

// A file goes when its claim has gone and the policy says so, and in no other state.
func TestIsReleased(t *testing.T) {
	policies := []v1.PersistentVolumeReclaimPolicy{v1.PersistentVolumeReclaimDelete, v1.PersistentVolumeReclaimRetain}
	phases := []v1.PersistentVolumePhase{"", v1.VolumePending, v1.VolumeAvailable, v1.VolumeBound, v1.VolumeReleased, v1.VolumeFailed}
	for _, policy := range policies {
		for _, phase := range phases {
			volume := &v1.PersistentVolume{}
			volume.Spec.PersistentVolumeReclaimPolicy, volume.Status.Phase = policy, phase
			if expected := policy == "Delete" && phase == "Released"; isReleased(volume) != expected {
				t.Errorf("%s and %s: expected %t", policy, phase, expected)
			}
		}
	}
}

// Every state that a crash, a reboot or a person can leave behind has its answer; data is only ever put aside.
func TestNextStep(t *testing.T) {
	for _, test := range []struct {
		phase                v1.PersistentVolumePhase // "none": there is no PersistentVolume
		file, mounted, claim bool
		expected             step
	}{
		{phase: "none", file: true, mounted: true, claim: true, expected: nothing},     // about to get its object
		{phase: "none", file: true, mounted: false, claim: true, expected: nothing},    // the same, after a reboot
		{phase: "none", file: true, mounted: true, claim: false, expected: retainFile}, // its object was removed by force
		{phase: "none", file: true, mounted: false, claim: false, expected: retainFile},
		{phase: "none", file: false, mounted: false, claim: false, expected: nothing},
		{phase: "none", file: false, mounted: false, claim: true, expected: nothing},
		{phase: "", file: true, mounted: true, claim: true, expected: nothing}, // nobody has looked at the object yet
		{phase: v1.VolumeBound, file: true, mounted: true, claim: true, expected: nothing},
		{phase: v1.VolumeBound, file: true, mounted: false, claim: true, expected: remount},
		{phase: v1.VolumeBound, file: false, mounted: false, claim: true, expected: reportLoss},
		{phase: v1.VolumeBound, file: false, mounted: true, claim: true, expected: reportLoss},
		{phase: v1.VolumeBound, file: false, mounted: false, claim: false, expected: reportLoss},
		{phase: v1.VolumeReleased, file: true, mounted: true, claim: false, expected: nothing}, // the library's, by its policy
		{phase: v1.VolumeReleased, file: true, mounted: false, claim: false, expected: nothing},
		{phase: v1.VolumeReleased, file: false, mounted: false, claim: false, expected: nothing},
		{phase: v1.VolumeFailed, file: true, mounted: false, claim: false, expected: nothing},
	} {
		var volume *v1.PersistentVolume
		if test.phase != "none" {
			volume = &v1.PersistentVolume{Status: v1.PersistentVolumeStatus{Phase: test.phase}}
		}
		if got := nextStep(test.file, test.mounted, volume, test.claim); got != test.expected {
			t.Errorf("%+v: got %d", test, got)
		}
	}
}
