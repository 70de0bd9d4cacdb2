package pgserver

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/caregraph/caregraph/internal/testutil"
)

// becomeRole drops what the role must not have.
func becomeRole(role string) error {
	switch role {
	case "no-capabilities":
		return dropAndBecome("serve", func(uintptr) bool { return true })
	case "no-namespace":
		return dropAndBecome("serve", func(capability uintptr) bool { return capability == unix.CAP_SETFCAP })
	case "list-without-ptrace":
		return dropAndBecome("list", func(capability uintptr) bool { return capability == unix.CAP_SYS_PTRACE })
	case "list":
		pids, err := live(context.Background(), os.Args[len(os.Args)-1])
		return fmt.Errorf("%v: %w", pids, err)
	case "nameless":
		if err := syscall.Setgid(namelessUID); err != nil {
			return err
		}
		if err := syscall.Setuid(namelessUID); err != nil {
			return err
		}
		// As after the exec of a login.
		return unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0)
	}
	return nil
}

// namelessUID has no entry in /etc/passwd.
const namelessUID = 54321

// dropAndBecome starts again without the capabilities. A process without
// capabilities has none to drop.
func dropAndBecome(role string, drop func(uintptr) bool) error {
	runtime.LockOSThread()
	for capability := uintptr(0); capability <= unix.CAP_LAST_CAP; capability++ {
		if !drop(capability) || os.Geteuid() != 0 {
			continue
		}
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, capability, 0, 0, 0); err != nil {
			return err
		}
	}
	if err := os.Setenv(helperRole, role); err != nil {
		return err
	}
	return syscall.Exec("/proc/self/exe", os.Args, os.Environ())
}

// adopt makes this process the parent of orphans, instead of the machine's
// process 1, which reaps them at any time.
func adopt(t *testing.T) {
	t.Helper()
	testutil.Must(t, unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
}

func reap(t *testing.T, pid int) {
	t.Helper()
	_, err := syscall.Wait4(pid, nil, 0, nil)
	testutil.Must(t, err)
}

func kill(t *testing.T, pid int, signal syscall.Signal) {
	t.Helper()
	testutil.Must(t, syscall.Kill(pid, signal))
}

func TestStart_AfterParentWasKilled(t *testing.T) {
	t.Parallel()
	adopt(t)
	dir := openDir(t)
	h := startHelper(t, "serve", dir)
	query(t, h.said, "CREATE TABLE kept AS SELECT 42 AS n")
	pid := recordedPID(filepath.Join(dir, "postgres"))
	kill(t, h.cmd.Process.Pid, syscall.SIGKILL)
	h.stop()
	reap(t, pid) // it ends because its parent did, and no one else asks it to

	var log logBook
	s := start(t, Options{DataDir: dir, Log: log.logger()})
	if got := query(t, s.URL(), "SELECT n FROM kept"); got != "42" {
		t.Errorf("n = %q", got)
	}
	if exists(socketDirOf(t, h.said)) {
		t.Error("the socket directory of the killed server is still there")
	}
	testutil.Must(t, s.Stop(t.Context()))
	if strings.Contains(log.String(), "not properly shut down") {
		t.Errorf("log: %s", log.String())
	}
}

// A postmaster that was killed together with its parent stays a zombie until
// process 1 reaps it; its pid file exists, and its pid answers to signal 0.
func TestStart_AfterPostmasterBecameAZombie(t *testing.T) {
	t.Parallel()
	adopt(t)
	dir := openDir(t)
	h := startHelper(t, "serve", dir)
	query(t, h.said, "CREATE TABLE kept AS SELECT 42 AS n")
	pid := recordedPID(filepath.Join(dir, "postgres"))
	kill(t, h.cmd.Process.Pid, syscall.SIGSTOP) // so that it does not reap its child
	testutil.Must(t, unix.Waitid(unix.P_PID, h.cmd.Process.Pid, nil, unix.WSTOPPED|unix.WNOWAIT, nil))
	kill(t, pid, syscall.SIGKILL)
	kill(t, h.cmd.Process.Pid, syscall.SIGKILL)
	h.stop()
	// Wait for its end without reaping it.
	testutil.Must(t, unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil))
	kill(t, pid, 0)
	t.Cleanup(func() { reap(t, pid) })
	if isPostgres(pid) {
		t.Error("a zombie is taken for a server")
	}
	if !exists(pidFile(filepath.Join(dir, "postgres"))) {
		t.Fatal("no pid file: this tests nothing")
	}
	s := start(t, Options{DataDir: dir})
	if got := query(t, s.URL(), "SELECT n FROM kept"); got != "42" {
		t.Errorf("n = %q", got)
	}
}

// The pid in the file may belong to an unrelated process, for example after a
// restart of the machine or of a container.
func TestStart_PidFileNamesAStranger(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	testutil.Must(t, start(t, Options{DataDir: dir}).Stop(t.Context()))
	stranger := exec.CommandContext(t.Context(), "cat")
	in, err := stranger.StdinPipe()
	testutil.Must(t, err)
	stranger.Dir = dir
	stranger.SysProcAttr = ownerAttr(t, filepath.Join(dir, "postgres"))
	testutil.Must(t, stranger.Start())
	text := strconv.Itoa(stranger.Process.Pid) + "\n" + dir + "/postgres\n1700000000\n5432\n\n\n\nready   \n"
	attr := ownerAttr(t, filepath.Join(dir, "postgres"))
	testutil.Must(t, os.WriteFile(pidFile(filepath.Join(dir, "postgres")), []byte(text), 0o600))
	if attr.Credential != nil {
		testutil.Must(t, os.Chown(pidFile(filepath.Join(dir, "postgres")), int(attr.Credential.Uid), int(attr.Credential.Gid)))
	}
	s := start(t, Options{DataDir: dir})
	if got := query(t, s.URL(), "SELECT 1"); got != "1" {
		t.Errorf("SELECT 1 = %q", got)
	}
	testutil.Must(t, in.Close())
	testutil.Must(t, stranger.Wait()) // not killed
}

// ownerAttr is for a process of the file's owner: only such a process could be
// mistaken for a server.
func ownerAttr(t *testing.T, path string) *syscall.SysProcAttr {
	t.Helper()
	info, err := os.Stat(path)
	testutil.Must(t, err)
	owner := accountOf(info)
	if owner.uid != os.Geteuid() {
		owner.how = switched
	}
	return owner.attr(syscall.SIGKILL)
}

func TestClearLeftovers_StopsTheServerAndNoShell(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	s := start(t, Options{DataDir: dir})
	var log logBook
	c := cluster{dataDir: dir, log: log.logger()}
	shell := exec.CommandContext(t.Context(), "cat")
	in, err := shell.StdinPipe()
	testutil.Must(t, err)
	shell.Dir = c.path()
	testutil.Must(t, shell.Start())
	testutil.Must(t, c.clearLeftovers(t.Context(), c.path()))
	<-s.Done()
	if exists(pidFile(c.path())) {
		t.Error("the pid file is still there")
	}
	testutil.Must(t, in.Close())
	testutil.Must(t, shell.Wait())
}

// A container forbids even root to inspect the processes of other users. A user
// may always inspect its own.
func TestLive_FindsAServerItMayNotLookAt(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	s := start(t, Options{DataDir: dir})
	got := startHelper(t, "list-without-ptrace", filepath.Join(dir, "postgres")).said
	if !strings.Contains(got, "["+strconv.Itoa(s.process.Pid)) {
		t.Errorf("got %s, want %d among them", got, s.process.Pid)
	}
}

func TestClearLeftovers_WaitsNoLongerThanTheContext(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	s := start(t, Options{DataDir: dir})
	kill(t, s.process.Pid, syscall.SIGSTOP)
	t.Cleanup(func() { _ = syscall.Kill(s.process.Pid, syscall.SIGCONT) })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var log logBook
	c := cluster{dataDir: dir, log: log.logger()}
	err := c.clearLeftovers(ctx, c.path())
	if err == nil || !strings.Contains(err.Error(), "still stopping") || !exists(pidFile(c.path())) {
		t.Errorf("got %v", err)
	}
	kill(t, s.process.Pid, syscall.SIGCONT)
}

// Root cannot run PostgreSQL and runs it as another user; an ordinary user runs
// it as itself. In both cases the parent directory may be closed to others.
func TestStart_RunsAsWhomTheDirectoryAllows(t *testing.T) {
	t.Parallel()
	open, closed := openDir(t), filepath.Join(canonical(t, openDir(t)), "closed", "data")
	testutil.Must(t, os.Mkdir(filepath.Dir(closed), 0o700))
	wantOpen, wantClosed := os.Geteuid(), os.Geteuid()
	if os.Geteuid() == 0 {
		service, err := serviceAccount()
		testutil.Must(t, err)
		wantOpen, wantClosed = service.uid, 0
		if !userNamespaces(t) {
			_, err := Start(t.Context(), Options{DataDir: closed})
			want := "data directory " + closed + " cannot be reached by user " + service.name + " (" + filepath.Dir(closed) + " is closed): use --data /var/lib/caregraph, or run as a normal user"
			if err == nil || err.Error() != want {
				t.Errorf("without user namespaces:\ngot  %v\nwant %s", err, want)
			}
			closed, wantClosed = openDir(t), service.uid
		}
	}
	for dir, want := range map[string]int{open: wantOpen, closed: wantClosed} {
		for range 2 { // the second start finds an owner
			s := start(t, Options{DataDir: dir})
			if got := query(t, s.URL(), "SELECT 1"); got != "1" {
				t.Errorf("SELECT 1 = %q", got)
			}
			testutil.Must(t, s.Stop(t.Context()))
			if got := ownerOf(t, filepath.Join(dir, "postgres")); got != want {
				t.Errorf("%s belongs to %d, want %d", dir, got, want)
			}
		}
	}
}

// A directory that another user's server created, and one whose owner has no
// name, still work under root. An ordinary user cannot read such a directory.
func TestStart_ExistingDirectoryKeepsItsOwner(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	testutil.Must(t, start(t, Options{DataDir: dir}).Stop(t.Context()))
	if os.Geteuid() != 0 {
		testutil.Must(t, os.Chmod(filepath.Join(dir, "postgres"), 0))
		t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, "postgres"), 0o700) })
		if _, err := Start(t.Context(), Options{DataDir: dir}); err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("got %v", err)
		}
		return
	}
	nobody, err := user.Lookup("nobody")
	testutil.Must(t, err)
	nobodyUID, err := strconv.Atoi(nobody.Uid)
	testutil.Must(t, err)
	for _, uid := range []int{nobodyUID, namelessUID} {
		testutil.Must(t, filepath.WalkDir(filepath.Join(dir, "postgres"), func(path string, _ os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Lchown(path, uid, uid)
		}))
		s := start(t, Options{DataDir: dir})
		if got := ownerOf(t, "/proc/"+strconv.Itoa(s.process.Pid)); got != uid {
			t.Errorf("runs as %d, want %d", got, uid)
		}
		if got := query(t, s.URL(), "SELECT 1"); got != "1" {
			t.Errorf("SELECT 1 = %q", got)
		}
		testutil.Must(t, s.Stop(t.Context()))
	}
}

// initdb refuses a user without a name; a user namespace provides one. Only
// root can become such a user: other users test only the message.
func TestStart_UserWithoutAName(t *testing.T) {
	t.Parallel()
	err := initdbError(t.Context(), "ok\ncreating directory x ... initdb: could not look up effective user ID 54321: user does not exist\n", os.ErrInvalid)
	want := "invalid argument: initdb: could not look up effective user ID 54321: user does not exist (run as a user that /etc/passwd knows, or set DATABASE_URL)"
	if err.Error() != want {
		t.Errorf("got %v", err)
	}
	if os.Geteuid() != 0 {
		return
	}
	for _, variable := range []string{"USER=", "USER=root", "USER=postgres", "USER=nobody"} {
		t.Run(variable, func(t *testing.T) {
			t.Parallel()
			dir := openDir(t)
			testutil.Must(t, os.Chown(dir, namelessUID, namelessUID))
			h := startHelper(t, "nameless", dir, variable, "HOME="+dir)
			if !userNamespaces(t) {
				if !strings.HasSuffix(h.said, "user does not exist (run as a user that /etc/passwd knows, or set DATABASE_URL)") {
					t.Errorf("without user namespaces: %s", h.said)
				}
				return
			}
			if got := query(t, h.said, "SELECT 1"); got != "1" {
				t.Errorf("SELECT 1 = %q", got)
			}
		})
	}
}

// userNamespaces reports whether this machine lets root make one: a chroot and most
// containers do not.
func userNamespaces(t *testing.T) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "true")
	cmd.SysProcAttr = account{uid: 1, gid: 1, how: mapped}.attr(syscall.SIGKILL)
	return cmd.Run() == nil
}

// The message for root if it cannot switch to another user. An ordinary user
// cannot switch either, and tests the system's answer.
func TestStart_CannotSwitchUser(t *testing.T) {
	t.Parallel()
	want := "running as root and cannot switch user (CAP_SETUID is dropped): run as a normal user, or set DATABASE_URL"
	dir := t.TempDir()
	if os.Geteuid() == 0 {
		if got := startHelper(t, "no-capabilities", dir).said; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		return
	}
	bin, err := Places{}.Find(t.Context())
	testutil.Must(t, err)
	as := account{name: "other", uid: os.Geteuid() + 1, gid: os.Getegid() + 1, how: switched}
	refused := as.explain(cluster{dataDir: dir}, bin, dir, as.canRun(t.Context(), bin, dir))
	if refused.Error() != want {
		t.Errorf("got  %v\nwant %s", refused, want)
	}
}

func TestStart_ClosedParentAndNoUserNamespace(t *testing.T) {
	t.Parallel()
	closed := filepath.Join(canonical(t, openDir(t)), "closed")
	testutil.Must(t, os.Mkdir(closed, 0o700))
	dir := filepath.Join(closed, "data")
	as := account{name: "postgres", uid: os.Geteuid() + 1, gid: os.Getegid() + 1, how: switched}
	if os.Geteuid() == 0 {
		service, err := serviceAccount()
		testutil.Must(t, err)
		as.name = service.name
	}
	want := "data directory " + dir + " cannot be reached by user " + as.name + " (" + closed + " is closed): use --data /var/lib/caregraph, or run as a normal user"
	if os.Geteuid() == 0 {
		if got := startHelper(t, "no-namespace", dir).said; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		return
	}
	testutil.Must(t, os.Mkdir(dir, 0o711))
	if got := as.explain(cluster{dataDir: dir}, Installation{Dir: "/"}, dir, syscall.EACCES); got.Error() != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
}

func TestRefusal_ClosedBinariesAreNamedAsSuch(t *testing.T) {
	t.Parallel()
	bin := canonical(t, openDir(t))
	testutil.Must(t, os.Chmod(bin, 0o700))
	as := account{name: "postgres", uid: os.Geteuid() + 1, gid: os.Getegid() + 1}
	got := as.explain(cluster{dataDir: "/"}, Installation{Dir: bin}, "/", syscall.EACCES)
	want := "PostgreSQL in " + bin + " cannot be run by user postgres (" + bin + " is closed): set PG_BIN to another, or run as a normal user"
	if got.Error() != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
}

func ownerOf(t *testing.T, path string) int {
	t.Helper()
	info, err := os.Stat(path)
	testutil.Must(t, err)
	return accountOf(info).uid
}
