package provisioner

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// refusal says why a claim can get no volume here, and what its owner can do about it; empty when it can.
func refusal(options controller.ProvisionOptions) string {
	spec, class := options.PVC.Spec, options.StorageClass
	switch {
	case len(class.Parameters) > 0:
		names := strings.Join(slices.Sorted(maps.Keys(class.Parameters)), ", ")
		return fmt.Sprintf("StorageClass %s has parameters (%s), and none exist here: make it anew without", class.Name, names)
	case spec.VolumeMode != nil && *spec.VolumeMode != v1.PersistentVolumeFilesystem:
		return fmt.Sprintf("volumeMode %s is not offered: ask for Filesystem", *spec.VolumeMode)
	case slices.ContainsFunc(spec.AccessModes, forManyNodes):
		return fmt.Sprintf("access mode %s is not offered on a single node: ask for ReadWriteOncePod or ReadWriteOnce", modes(spec))
	case spec.Selector != nil:
		return "a claim with a selector cannot get a new volume: remove spec.selector"
	case spec.DataSource != nil || spec.DataSourceRef != nil:
		return "volumes are always made empty: remove spec.dataSource and spec.dataSourceRef"
	}
	return ""
}

// tooLarge says why there is no room for a claim; empty when there is. All in bytes.
func tooLarge(needed, unpromised int64) string {
	if needed <= unpromised {
		return ""
	}
	return fmt.Sprintf("the claim asks for %s, but the host's disk has only %s left beside what existing volumes may still "+
		"take: free disk space or delete claims, then it goes on by itself", rough(needed), rough(max(0, unpromised)))
}

func forManyNodes(mode v1.PersistentVolumeAccessMode) bool {
	return mode != v1.ReadWriteOncePod && mode != v1.ReadWriteOnce
}

func modes(spec v1.PersistentVolumeClaimSpec) string {
	names := make([]string, 0, len(spec.AccessModes))
	for _, mode := range spec.AccessModes {
		names = append(names, string(mode))
	}
	return strings.Join(names, ", ")
}

// rough is a byte count for a person's eye.
func rough(count int64) string {
	if count >= gib {
		return fmt.Sprintf("%.1f GiB", float64(count)/gib)
	}
	return fmt.Sprintf("%d MiB", count/mib)
}
