/* native: what happens to most packets, in one call for all packets of a round: the loops of media/io/udp.py over
 * receiving and sending, and the express lane of media/express.py between them.
 *
 * Optional: media/io/native.py compiles and loads it where a C compiler is; media/io/native_udp.py and
 * media/io/native_lane.py give it arrays of the columnar core to work on. It keeps nothing between two calls,
 * allocates nothing and checks every index that it is given. What it does with a packet or an error is what the
 * Python does, to the count and to the bit.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { VERSION = 3, MOST = 4096 };

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

/* Note in `seen`, by row, that packets wait by `now`, of rows of which nothing was noted from `since` on. */
void native_note(int64_t epoll, const int64_t *row_of, int64_t descriptors, double *seen, int64_t rows, double since,
                 double now) {
    static _Thread_local struct epoll_event events[MOST];
    int ready = epoll_wait((int)epoll, events, MOST, 0);
    for (int i = 0; i < ready; i++) {
        int fd = events[i].data.fd;
        int64_t row = fd >= 0 && fd < descriptors ? row_of[fd] : -1;
        if (row >= 0 && row < rows && seen[row] < since) seen[row] = now;
    }
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

/* Columns of a row of media.reception.Reception and of media.transmission.Transmission, by the places that lane.rx_at
 * and lane.tx_at have them at. CLOCK, LAST, JITTER and TIME are doubles. */
enum { ARMED, HIGHEST, UNIQUE, RECEIVED, OCTETS, SSRC, STREAM, RELAY_TO, HEARD, STAMP, SPAN, CLOCK, LAST, JITTER };
enum {
    TX_STREAM, TX_SEQUENCE, TX_STAMP, TX_TIME, TX_SPAN, TX_PACKETS, TX_OCTETS, TX_HEAD, TX_SSRC, SEQUENCE_SHIFT,
    STAMP_SHIFT
};

/* Both tables, row by row, and the batch of the round: its packets are in the first slots. */
struct lane {
    int64_t *rx, *tx;
    int64_t rx_rows, rx_width, tx_rows, tx_width;
    int64_t rx_at[14], tx_at[11];
    uint8_t *buffer;
    int64_t stride, capacity;
    const int64_t *rows, *sizes;
    const double *times;     /* when each came, s */
    int64_t header, longest; /* bytes of a plain header, and of the longest payload that may pass */
    double wild;             /* s of transit change that is a new clock, not jitter */
};

/* What became of a round. plain: of each packet, whether it was taken here. The others arrays have an entry for each
 * packet that is to be sent on, or heard: slot, row, and its size or its own timestamp. */
struct passed {
    uint8_t *plain;
    int64_t *targets, *slots, *sizes;
    int64_t *heard, *stamps;
    int64_t going, hearing;
};

static double real(const int64_t *cell) {
    double value;
    memcpy(&value, cell, sizeof value);
    return value;
}

static void set_real(int64_t *cell, double value) { memcpy(cell, &value, sizeof value); }

/* RFC 3550 section A.8, and the counters. */
static void count_in(const struct lane *lane, int64_t *rx, int64_t stamp, int64_t payload, double came) {
    const int64_t *at = lane->rx_at;
    double clock = real(&rx[at[CLOCK]]), jitter = real(&rx[at[JITTER]]);
    double change = fabs((came - real(&rx[at[LAST]])) * clock - (double)(stamp - rx[at[STAMP]]));
    if (!(change < lane->wild * clock)) change = 0.0;
    set_real(&rx[at[JITTER]], jitter + (change - jitter) / 16.0);
    set_real(&rx[at[LAST]], came);
    rx[at[STAMP]] = stamp;
    rx[at[ARMED]]++;
    rx[at[HIGHEST]]++;
    rx[at[UNIQUE]]++;
    rx[at[RECEIVED]]++;
    rx[at[OCTETS]] += payload;
}

/* Write the header that the packet leaves with, and note what was sent. */
static void rewrite(const struct lane *lane, const int64_t *rx, int64_t *tx, uint32_t mark, uint32_t *words,
                    int64_t payload, double now) {
    const int64_t *from = lane->rx_at, *at = lane->tx_at;
    int64_t sequence = rx[from[HIGHEST]] + tx[at[SEQUENCE_SHIFT]];
    int64_t stamp = (rx[from[STAMP]] + tx[at[STAMP_SHIFT]]) & 0xFFFFFFFF;
    words[0] = htonl((uint32_t)(sequence & 0xFFFF) | (uint32_t)tx[at[TX_HEAD]] | mark);
    words[1] = htonl((uint32_t)stamp);
    words[2] = htonl((uint32_t)tx[at[TX_SSRC]]);
    tx[at[TX_SEQUENCE]] = sequence;
    tx[at[TX_STAMP]] = stamp;
    tx[at[TX_SPAN]] = rx[from[SPAN]];
    set_real(&tx[at[TX_TIME]], now);
    tx[at[TX_PACKETS]]++;
    tx[at[TX_OCTETS]] += payload;
}

/* Take the packets of a round that are exactly what was expected: count them in, and rewrite the headers of those
 * that are relayed. media/express.py says what the lane is. */
void native_lane(const struct lane *lane, int64_t count, double now, struct passed *passed) {
    const int64_t *at = lane->rx_at;
    passed->going = passed->hearing = 0;
    for (int64_t slot = 0; slot < count && slot < lane->capacity; slot++) {
        int64_t row = lane->rows[slot], payload = lane->sizes[slot] - lane->header;
        passed->plain[slot] = 0;
        if (row < 0 || row >= lane->rx_rows || payload <= 0 || payload > lane->longest) continue;
        uint8_t *packet = lane->buffer + slot * lane->stride;
        int64_t *rx = lane->rx + row * lane->rx_width, *tx = NULL;
        uint32_t words[3];
        memcpy(words, packet, sizeof words);
        uint32_t first = ntohl(words[0]), mark = first & 0x800000;
        if ((int64_t)(first ^ mark) != rx[at[ARMED]] || (int64_t)ntohl(words[2]) != rx[at[SSRC]]) continue;
        int64_t to = rx[at[RELAY_TO]];
        if (to >= lane->tx_rows) continue;
        if (to >= 0) {
            tx = lane->tx + to * lane->tx_width;
            if (tx[lane->tx_at[TX_STREAM]] != rx[at[STREAM]]) continue;
        }
        passed->plain[slot] = 1;
        count_in(lane, rx, ntohl(words[1]), payload, lane->times[slot]);
        if (rx[at[HEARD]]) {
            passed->heard[passed->hearing] = slot;
            passed->stamps[passed->hearing++] = ntohl(words[1]);
        }
        if (!tx) continue;
        rewrite(lane, rx, tx, mark, words, payload, now);
        memcpy(packet, words, sizeof words);
        passed->targets[passed->going] = to;
        passed->slots[passed->going] = slot;
        passed->sizes[passed->going++] = payload + lane->header;
    }
}
