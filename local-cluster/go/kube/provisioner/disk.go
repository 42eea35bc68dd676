package provisioner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/moby/sys/mountinfo"
	"k8s.io/klog/v2"
	"k8s.io/utils/keymutex"
)

// commandTimeout is the longest for mkfs, mount or fsck; they take milliseconds unless the disk hangs.
const commandTimeout = time.Minute

// fsckCorrected: e2fsck's exit status is a bit mask; up to this bit the file system is sound.
const fsckCorrected = 1

// The file starts as one hole, so its zeroes need not be written: without this, ext4 writes 16 MiB of inode tables
// per GiB in the background.
var mkfs = []string{"mkfs.ext4", "-q", "-F", "-m", "0", "-E", "assume_storage_prezeroed=1,nodiscard"}

// discard gives the space of deleted files back to the host's disk; nosuid and nodev, because pods write here.
var mount = []string{"mount", "-t", "ext4", "-o", "loop,nosuid,nodev,noatime,discard"}

// disk is the files, file systems and mounts of one state folder:
//
//	new/pvc-….img        being formatted; never mounted, so never in anybody's hands
//	volumes/pvc-….img    a whole file system; it was made for a claim, and is somebody's data from then on
//	retained/pvc-….img   kept for a person: neither a PersistentVolume nor a claim asks for it any more
//	mounts/pvc-…/data    what a pod sees
//
// A file moves on by rename, which is atomic. `data` lies inside the mounted file system: where the mount is missing
// the path is missing too, and the kubelet refuses to start the pod instead of letting it write to the host's disk.
type disk struct {
	root string
	// busy holds a lock per volume (see exclusively).
	busy keymutex.KeyMutex
	// promising is held while room is counted and given away.
	promising sync.Mutex
}

func openDisk(root string) (*disk, error) {
	absolute, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"", "new", "volumes", "retained", "mounts"} {
		// Only root may look inside, as the files hold what pods keep private.
		if err := os.MkdirAll(filepath.Join(absolute, name), 0o700); err != nil {
			return nil, err
		}
	}
	// Without symbolic links, as the kernel lists mounts.
	absolute, err = filepath.EvalSymlinks(absolute)
	return &disk{root: absolute, busy: keymutex.NewHashed(64)}, err
}

func (d *disk) file(stage, name string) string { return filepath.Join(d.root, stage, name+".img") }
func (d *disk) point(name string) string       { return filepath.Join(d.root, "mounts", name) }
func (d *disk) data(name string) string        { return filepath.Join(d.point(name), "data") }

// names lists the volumes whose files lie in a stage.
func (d *disk) names(stage string) ([]string, error) {
	files, err := filepath.Glob(d.file(stage, "*"))
	for i, file := range files {
		files[i] = strings.TrimSuffix(filepath.Base(file), ".img")
	}
	return files, err
}

// exclusively runs what takes several steps on one volume, while nobody else touches or judges it.
func (d *disk) exclusively(name string, steps func() error) error {
	d.busy.LockKey(name)
	defer d.busy.UnlockKey(name)
	return steps()
}

// restore throws away what was being formatted when the last process ended, and mounts all the rest.
func (d *disk) restore(ctx context.Context) {
	halves, _ := d.names("new") // the pattern is a good one, which is all that can be wrong
	for _, name := range halves {
		logged(os.Remove(d.file("new", name)), "half-made volume not removed", name)
	}
	whole, _ := d.names("volumes")
	for _, name := range whole {
		// A failure is not fatal for the others; the resync tries this one again.
		logged(d.exclusively(name, func() error { return d.mount(ctx, name) }), "volume not mounted at start", name)
	}
}

// provide brings a volume of `size` bytes up to mounted, whatever of it is there already.
func (d *disk) provide(ctx context.Context, name string, size int64) error {
	return d.exclusively(name, func() error {
		here, err := d.has(name)
		if err == nil && !here {
			err = d.make(ctx, name, size)
		}
		if err != nil {
			return err
		}
		return d.mount(ctx, name)
	})
}

// remove unmounts a volume and deletes its file; fine if there is neither.
func (d *disk) remove(ctx context.Context, name string) error {
	return d.exclusively(name, func() error {
		if err := d.unmount(ctx, name); err != nil {
			return err
		}
		return ignoreMissing(os.Remove(d.file("volumes", name)))
	})
}

// retain unmounts a volume and puts its file aside for a person. Call it exclusively.
func (d *disk) retain(ctx context.Context, name string) error {
	if err := d.unmount(ctx, name); err != nil {
		return err
	}
	return os.Rename(d.file("volumes", name), d.file("retained", name))
}

// has tells whether a volume's file is there, whole.
func (d *disk) has(name string) (bool, error) {
	_, err := os.Stat(d.file("volumes", name))
	return err == nil, ignoreMissing(err)
}

// make formats a new file under another name, so that a file in `volumes` is always a whole file system.
func (d *disk) make(ctx context.Context, name string, size int64) error {
	file := d.file("new", name)
	if err := d.promise(file, size); err != nil {
		return err
	}
	err := execute(ctx, 0, append(mkfs, file)...)
	if err == nil {
		err = os.Rename(file, d.file("volumes", name))
	}
	if err != nil {
		return errors.Join(err, ignoreMissing(os.Remove(file)))
	}
	return nil
}

// promise creates a sparse file of this size, unless the disk has not as much left beside what it has promised.
func (d *disk) promise(file string, size int64) error {
	d.promising.Lock()
	defer d.promising.Unlock()
	room, err := d.unpromised()
	if err != nil {
		return err
	}
	if why := tooLarge(size, room); why != "" {
		return errors.New(why)
	}
	sparse, err := os.OpenFile(file, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(sparse.Truncate(size), sparse.Close())
}

// unpromised is the bytes left when every volume is filled to its size; retained ones count as they are.
func (d *disk) unpromised() (int64, error) {
	var room syscall.Statfs_t
	if err := syscall.Statfs(d.root, &room); err != nil {
		return 0, err
	}
	left := int64(room.Bavail) * room.Frsize
	for _, stage := range []string{"new", "volumes"} {
		names, err := d.names(stage)
		if err != nil {
			return 0, err
		}
		for _, name := range names {
			var file syscall.Stat_t
			if err := syscall.Stat(d.file(stage, name), &file); err != nil {
				continue // it has gone since the folder was read
			}
			left -= max(0, file.Size-file.Blocks*512) // blocks of 512 bytes, whatever the file system's are
		}
	}
	return left, nil
}

// mount mounts a volume whose file is there, mending its file system if it must be. Call it exclusively.
func (d *disk) mount(ctx context.Context, name string) error {
	file, point := d.file("volumes", name), d.point(name)
	mounted, err := d.mounted(name)
	if err != nil {
		return err
	}
	if !mounted {
		if err := os.MkdirAll(point, 0o700); err != nil {
			return err
		}
		if err := execute(ctx, 0, append(mount, file, point)...); err != nil {
			// The journal heals a power cut by itself; this is for worse, and nobody is there to be asked.
			if err := execute(ctx, fsckCorrected, "e2fsck", "-f", "-y", file); err != nil {
				return err
			}
			if err := execute(ctx, 0, append(mount, file, point)...); err != nil {
				return err
			}
		}
		klog.InfoS("volume mounted", "volume", name)
	}
	if err := os.Mkdir(d.data(name), 0o755); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func (d *disk) unmount(ctx context.Context, name string) error {
	mounted, err := d.mounted(name)
	if err == nil && mounted {
		err = execute(ctx, 0, "umount", d.point(name))
	}
	if err != nil {
		return err
	}
	return ignoreMissing(os.Remove(d.point(name)))
}

func (d *disk) mounted(name string) (bool, error) {
	mounted, err := mountinfo.Mounted(d.point(name))
	return mounted, ignoreMissing(err)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func logged(err error, message, name string) {
	if err != nil {
		klog.ErrorS(err, message, "volume", name)
	}
}

// execute runs a command to its end; the error names it and says what it said.
func execute(ctx context.Context, fineUpTo int, words ...string) error {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	said, err := exec.CommandContext(ctx, words[0], words[1:]...).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() >= 0 {
		if exit.ExitCode() <= fineUpTo {
			return nil
		}
		return fmt.Errorf("%s ended with %d: %s", words[0], exit.ExitCode(), strings.TrimSpace(string(said)))
	}
	if err != nil {
		return fmt.Errorf("%s failed: %w", words[0], err)
	}
	return nil
}
