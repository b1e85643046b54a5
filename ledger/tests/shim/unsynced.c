/* Loaded before libc (LD_PRELOAD) by the crash tests: keeps a mirror of a folder that holds only what was synced.
 *
 *   UNSYNCED_ROOT    the folder that is written to
 *   UNSYNCED_MIRROR  what a power cut would leave of it
 *   UNSYNCED_COUNT   a file that holds how many syncs there were, in decimal
 *   UNSYNCED_FAIL    after so many syncs the disk fails: every further one returns EIO, and nothing more is mirrored
 *
 * fsync and fdatasync of a file copy it to the mirror; rename, link and unlink take effect there at once (a file system may
 * make them durable early; a renamed file that was never synced becomes an empty one, which is the worst it may do).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long syncs = 0;

static int mirrored(const char *path, char *to) {
    const char *root = getenv("UNSYNCED_ROOT"), *mirror = getenv("UNSYNCED_MIRROR");
    if (!root || !mirror || strncmp(path, root, strlen(root)) != 0) return 0;
    const char *rest = path + strlen(root);
    if (*rest != '/') return 0;
    return snprintf(to, PATH_MAX, "%s%s", mirror, rest) < PATH_MAX;
}

static void make_parents(const char *path) {
    char part[PATH_MAX];
    snprintf(part, sizeof part, "%s", path);
    for (char *at = part + 1; *at; at++) {
        if (*at == '/') {
            *at = 0;
            mkdir(part, 0755);
            *at = '/';
        }
    }
}

static int libc_rename(const char *from, const char *to) {
    static int (*next)(const char *, const char *);
    if (!next) next = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
    return next(from, to);
}

static int libc_unlink(const char *path) {
    static int (*next)(const char *);
    if (!next) next = (int (*)(const char *))dlsym(RTLD_NEXT, "unlink");
    return next(path);
}

/* Copies a file to its place in the mirror, whole or not at all. */
static void copy(const char *from, const char *to) {
    char temporary[PATH_MAX + 16], buffer[65536];
    snprintf(temporary, sizeof temporary, "%s.copy", getenv("UNSYNCED_MIRROR"));
    make_parents(to);
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (in < 0 || out < 0) _exit(90);
    ssize_t count;
    while ((count = read(in, buffer, sizeof buffer)) > 0)
        if (write(out, buffer, (size_t)count) != count) _exit(91);
    close(in);
    close(out);
    if (libc_rename(temporary, to) != 0) _exit(92);
}

static void synced(int fd) {
    char link[64], path[PATH_MAX], to[PATH_MAX], number[32];
    struct stat status;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return;
    path[length] = 0;
    if (!mirrored(path, to) || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return;
    pthread_mutex_lock(&lock);
    if (access(path, F_OK) == 0) copy(path, to);
    const char *count = getenv("UNSYNCED_COUNT");
    int file = count ? open(count, O_WRONLY | O_CREAT | O_CLOEXEC, 0644) : -1;
    if (file >= 0) {
        int digits = snprintf(number, sizeof number, "%lu", ++syncs);
        if (pwrite(file, number, (size_t)digits, 0) != digits) _exit(93);
        close(file);
    }
    pthread_mutex_unlock(&lock);
}

/* Whether the disk has failed by now. */
static int failed(void) {
    const char *after = getenv("UNSYNCED_FAIL");
    if (!after) return 0;
    pthread_mutex_lock(&lock);
    int result = syncs >= strtoul(after, 0, 10);
    pthread_mutex_unlock(&lock);
    if (result) errno = EIO;
    return result;
}

int fsync(int fd) {
    static int (*next)(int);
    if (failed()) return -1;
    if (!next) next = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    int result = next(fd);
    if (result == 0) synced(fd);
    return result;
}

int fdatasync(int fd) {
    static int (*next)(int);
    if (failed()) return -1;
    if (!next) next = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    int result = next(fd);
    if (result == 0) synced(fd);
    return result;
}

int rename(const char *from, const char *to) {
    char mirror_from[PATH_MAX], mirror_to[PATH_MAX];
    int result = libc_rename(from, to);
    if (result == 0 && mirrored(from, mirror_from) && mirrored(to, mirror_to)) {
        pthread_mutex_lock(&lock);
        if (libc_rename(mirror_from, mirror_to) != 0) {
            make_parents(mirror_to);
            int empty = open(mirror_to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
            if (empty >= 0) close(empty);
        }
        pthread_mutex_unlock(&lock);
    }
    return result;
}

int unlink(const char *path) {
    char mirror[PATH_MAX];
    int result = libc_unlink(path);
    if (result == 0 && mirrored(path, mirror)) libc_unlink(mirror);
    return result;
}

/* A second name: the mirror gets it as far as the first one was synced, else an empty file. */
static void linked(const char *from, const char *to) {
    char mirror_from[PATH_MAX], mirror_to[PATH_MAX];
    if (!mirrored(from, mirror_from) || !mirrored(to, mirror_to)) return;
    pthread_mutex_lock(&lock);
    make_parents(mirror_to);
    if (access(mirror_from, F_OK) == 0) {
        copy(mirror_from, mirror_to);
    } else {
        int empty = open(mirror_to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (empty >= 0) close(empty);
    }
    pthread_mutex_unlock(&lock);
}

int link(const char *from, const char *to) {
    static int (*next)(const char *, const char *);
    if (!next) next = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "link");
    int result = next(from, to);
    if (result == 0) linked(from, to);
    return result;
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
    static int (*next)(int, const char *, int, const char *, int);
    if (!next) next = (int (*)(int, const char *, int, const char *, int))dlsym(RTLD_NEXT, "linkat");
    int result = next(from_dir, from, to_dir, to, flags);
    if (result == 0) linked(from, to);
    return result;
}
