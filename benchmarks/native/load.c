/* load: the far ends of many G.711 legs: sends 50 RTP packets a second for each and counts what comes back.
 *
 *   load LEGS FAR_PORT SECONDS < PORTS
 *
 * Stream i goes from 127.0.0.1:FAR_PORT + 2i to the i-th port read. The streams' packets are spread evenly over the
 * 20 ms. A packet's payload begins with its time of sending, so whatever passes payloads on unchanged shows how
 * long it kept them; the first half second, in which all streams begin at once, is left out of that. After SECONDS
 * of sending half a second is left for what is still under way.
 * Prints one JSON line: packets sent and received, sequence numbers that never came in what was received, and
 * percentiles of the delay in ms (null when no payload came back as it went).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEADER = 12, SOUND = 160, SIZE = HEADER + SOUND, MAGIC = 0x49534f47 };

struct rtp {
    uint8_t flags, type;
    uint16_t sequence;
    uint32_t timestamp, source;
    uint32_t magic, pad;
    int64_t sent_ns;
    uint8_t rest[SOUND - 16];
} __attribute__((packed));

struct stream {
    int socket;
    uint16_t newest;
    long first, last, count; /* of the sequence numbers received, not wrapped */
};

static struct {
    int64_t *delays, since;
    size_t count, room;
    long sent, received;
} tally;

static int64_t clock_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int open_stream(int port, int far_port) {
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, here = there;
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    here.sin_port = htons(far_port);
    there.sin_port = htons(port);
    if (s < 0 || bind(s, (struct sockaddr *)&here, sizeof here) ||
        connect(s, (struct sockaddr *)&there, sizeof there)) {
        perror("load: stream");
        exit(1);
    }
    return s;
}

static void number(struct stream *s, uint16_t sequence) {
    if (!s->count++) s->first = s->last = s->newest = sequence;
    int16_t step = sequence - s->newest;
    if (step > 0) {
        s->newest = sequence;
        s->last += step;
    }
}

static void take(struct stream *s) {
    struct rtp packet;
    for (ssize_t size; (size = recv(s->socket, &packet, sizeof packet, 0)) > 0;) {
        tally.received++;
        if (size >= HEADER) number(s, ntohs(packet.sequence));
        if (size == SIZE && packet.magic == MAGIC && packet.sent_ns >= tally.since && tally.count < tally.room)
            tally.delays[tally.count++] = clock_ns() - packet.sent_ns;
    }
}

static void wait_and_take(int poll, struct epoll_event *ready, int most, int64_t until) {
    int64_t left = until - clock_ns();
    struct timespec patience = {.tv_sec = 0, .tv_nsec = left < 0 ? 0 : left > 900000000 ? 900000000 : left};
    int n = epoll_pwait2(poll, ready, most, &patience, NULL);
    for (int i = 0; i < n; i++) take(ready[i].data.ptr);
}

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void print_percentile(const char *name, double share) {
    if (tally.count) printf(", \"%s\": %.3f", name, tally.delays[(size_t)((tally.count - 1) * share)] / 1e6);
    else printf(", \"%s\": null", name);
}

/* Go before other work where that is allowed: what comes late here would be put down to what is measured. */
static void hurry(void) {
    setsid();
    setpriority(PRIO_PROCESS, 0, -11);
    FILE *group = fopen("/proc/self/autogroup", "w");
    if (group) {
        fputs("-11", group);
        fclose(group);
    }
}

int main(int count, char **options) {
    if (count != 4) {
        fprintf(stderr, "usage: load LEGS FAR_PORT SECONDS < PORTS\n");
        return 2;
    }
    int legs = atoi(options[1]), far_port = atoi(options[2]);
    long total = (long)(atof(options[3]) * 50) * legs;
    alarm((unsigned)(3 * atof(options[3])) + 30); /* whatever happens, it ends */
    hurry();
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    struct stream *streams = calloc(legs, sizeof *streams);
    int poll = epoll_create1(0);
    struct epoll_event *ready = calloc(legs, sizeof *ready);
    tally.room = total + 1000;
    tally.delays = malloc(tally.room * sizeof *tally.delays);
    for (int i = 0; i < legs; i++) {
        int port;
        if (scanf("%d", &port) != 1) return 2;
        streams[i].socket = open_stream(port, far_port + 2 * i);
        struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = &streams[i]};
        epoll_ctl(poll, EPOLL_CTL_ADD, streams[i].socket, &wanted);
    }
    struct rtp packet = {.flags = 0x80, .magic = MAGIC};
    memset(packet.rest, 0xd5, sizeof packet.rest);
    int64_t start = clock_ns(), gap = 20000000 / legs;
    tally.since = start + 500000000;
    for (long turn = 0; turn < total;) {
        int64_t due = start + turn / legs * 20000000LL + turn % legs * gap;
        if (clock_ns() < due) {
            wait_and_take(poll, ready, legs, due);
            continue;
        }
        uint32_t number = turn / legs, leg = turn % legs;
        packet.sequence = htons(number);
        packet.timestamp = htonl(number * SOUND);
        packet.source = htonl(0x10000 + leg);
        packet.sent_ns = clock_ns();
        tally.sent += send(streams[leg].socket, &packet, SIZE, 0) == SIZE;
        if (++turn % 64 == 0) wait_and_take(poll, ready, legs, 0);
    }
    for (int64_t end = clock_ns() + 500000000; clock_ns() < end;) wait_and_take(poll, ready, legs, end);
    qsort(tally.delays, tally.count, sizeof *tally.delays, ascending);
    long missing = 0;
    for (int i = 0; i < legs; i++)
        if (streams[i].count) missing += streams[i].last - streams[i].first + 1 - streams[i].count;
    printf("{\"legs\": %d, \"sent\": %ld, \"received\": %ld, \"missing\": %ld", legs, tally.sent, tally.received,
           missing);
    print_percentile("delay_p50_ms", 0.5);
    print_percentile("delay_p95_ms", 0.95);
    print_percentile("delay_p99_ms", 0.99);
    printf("}\n");
    return 0;
}
