/* native: the two loops of media/io/udp.py that run once a packet, each as one call for all packets of a round.
 *
 * Optional: media/io/native.py compiles and loads it where a C compiler is, and media/io/native_udp.py gives it
 * arrays of the columnar core to work on. It keeps nothing between two calls, allocates nothing and checks every
 * index that it is given. What it does with a packet or an error is what the Python loops do, to the count.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { VERSION = 1, MOST = 4096 };

/* How a leg's packets are sent. fd: -1 where there is no one to send to. length: of the address, 0 where the
 * socket is connected. */
struct way {
    int64_t fd, length;
    uint8_t address[32];
};

/* What a round of receiving came to beside its packets. open: ready sockets that are not this loop's to read.
 * size: that of all packets when they have one in common, else 0. */
struct round {
    int64_t open, errors, size, ready;
};

int64_t native_version(void) { return VERSION; }

/* Take one datagram of each socket that epoll reports ready and that belongs to a row.
 *
 * row_of: by file descriptor, -1 where the socket is not to be read here; it has `descriptors` entries. buffer:
 * `capacity` slots of `stride` bytes, filled from the first on; rows and sizes say whose packets they hold and how
 * many bytes. open: `capacity` places for the sockets left to the caller. Returns the packets taken, -1 when epoll
 * itself fails.
 */
int64_t native_receive(int64_t epoll, const int64_t *row_of, int64_t descriptors, uint8_t *buffer, int64_t stride,
                       int64_t capacity, int64_t *rows, int64_t *sizes, int64_t *open, struct round *round) {
    static _Thread_local struct epoll_event events[MOST];
    int64_t count = 0;
    *round = (struct round){0};
    if (capacity < 1) return 0;
    int ready = epoll_wait((int)epoll, events, (int)(capacity < MOST ? capacity : MOST), 0);
    if (ready < 0) return errno == EINTR ? 0 : -1;
    round->ready = ready;
    for (int i = 0; i < ready; i++) {
        int fd = events[i].data.fd;
        int64_t row = fd >= 0 && fd < descriptors ? row_of[fd] : -1;
        if (row < 0) {
            open[round->open++] = fd;
            continue;
        }
        ssize_t size = recv(fd, buffer + count * stride, (size_t)stride, MSG_DONTWAIT);
        if (size < 0) {
            round->errors++;
            continue;
        }
        if (size == 0) continue;
        if (count == 0) round->size = size;
        else if (round->size != size) round->size = 0;
        rows[count] = row;
        sizes[count] = size;
        count++;
    }
    return count;
}

/* Send `count` packets: the i-th is the first sizes[i] bytes of slot slots[i] and leaves as ways[targets[i]] says.
 * Returns how many could not be sent. */
int64_t native_send(const struct way *ways, int64_t known, const int64_t *targets, const int64_t *slots,
                    const int64_t *sizes, int64_t count, const uint8_t *buffer, int64_t stride, int64_t capacity) {
    int64_t errors = 0;
    for (int64_t i = 0; i < count; i++) {
        int64_t row = targets[i], slot = slots[i], size = sizes[i];
        if (row < 0 || row >= known || slot < 0 || slot >= capacity || size < 0 || size > stride) {
            errors++;
            continue;
        }
        const struct way *way = &ways[row];
        if (way->fd < 0) continue;
        const uint8_t *packet = buffer + slot * stride;
        int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
        ssize_t sent = way->length
                           ? sendto((int)way->fd, packet, (size_t)size, flags,
                                    (const struct sockaddr *)way->address, (socklen_t)way->length)
                           : send((int)way->fd, packet, (size_t)size, flags);
        if (sent < 0) errors++;
    }
    return errors;
}
