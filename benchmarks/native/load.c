/* load: the far ends of many G.711 legs: sends 50 RTP packets a second for each and counts what comes back.
 *
 *   load LEGS FAR_ADDRESS FAR_PORT ADDRESS SECONDS [reports] < PORTS
 *
 * Stream i goes from FAR_PORT + 2i at FAR_ADDRESS to the i-th port read, at ADDRESS. With `reports` each stream also
 * sends an RTCP sender report every 5 s, to the port above. The streams' packets are spread evenly over the 20 ms. A packet's payload begins with its time of sending, so whatever passes payloads on unchanged shows how
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

enum { HEADER = 12, SOUND = 160, SIZE = HEADER + SOUND, MAGIC = 0x49534f47, REPORT_EVERY = 250 /* packets */ };

struct rtp {
    uint8_t flags, type;
    uint16_t sequence;
    uint32_t timestamp, source;
    uint32_t magic, pad;
    int64_t sent_ns;
    uint8_t rest[SOUND - 16];
} __attribute__((packed));

/* A sender report without blocks, and the description that has to follow it (RFC 3550 section 6). */
struct report {
    uint8_t sender_flags, sender_type;
    uint16_t sender_words;
    uint32_t source, ntp_seconds, ntp_fraction, timestamp, packets, octets;
    uint8_t description_flags, description_type;
    uint16_t description_words;
    uint32_t described;
    uint8_t name[4];
} __attribute__((packed));

struct stream {
    int socket, port;
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

static struct sockaddr_in at(const char *address, int port) {
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, address, &place.sin_addr);
    return place;
}

/* A socket at `here`, connected unless `there` has no port. */
static int open_socket(struct sockaddr_in here, struct sockaddr_in there) {
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (s < 0 || bind(s, (struct sockaddr *)&here, sizeof here) ||
        (there.sin_port && connect(s, (struct sockaddr *)&there, sizeof there))) {
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
    for (int i = 0; i < n; i++) {
        if (ready[i].data.ptr) take(ready[i].data.ptr);
    }
}

/* Say how far stream `leg` is, from one socket for all: the answers come there and are not looked at. */
static void report(int s, struct sockaddr_in to, uint32_t leg, uint32_t number) {
    struct report r = {.sender_flags = 0x80, .sender_type = 200, .sender_words = htons(6),
                       .source = htonl(0x10000 + leg), .ntp_seconds = htonl((uint32_t)time(NULL) + 2208988800u),
                       .timestamp = htonl(number * SOUND), .packets = htonl(number), .octets = htonl(number * SOUND),
                       .description_flags = 0x81, .description_type = 202, .description_words = htons(2),
                       .described = htonl(0x10000 + leg), .name = {1, 1, 'x', 0}};
    char answer[1500];
    sendto(s, &r, sizeof r, 0, (struct sockaddr *)&to, sizeof to);
    while (recv(s, answer, sizeof answer, 0) > 0) continue;
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
    if (count != 6 && count != 7) {
        fprintf(stderr, "usage: load LEGS FAR_ADDRESS FAR_PORT ADDRESS SECONDS [reports] < PORTS\n");
        return 2;
    }
    int legs = atoi(options[1]), far_port = atoi(options[3]);
    const char *far = options[2], *address = options[4];
    long total = (long)(atof(options[5]) * 50) * legs;
    alarm((unsigned)(3 * atof(options[5])) + 30); /* whatever happens, it ends */
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
        if (scanf("%d", &streams[i].port) != 1) return 2;
        streams[i].socket = open_socket(at(far, far_port + 2 * i), at(address, streams[i].port));
        struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = &streams[i]};
        epoll_ctl(poll, EPOLL_CTL_ADD, streams[i].socket, &wanted);
    }
    int reports = count == 7 ? open_socket(at(far, 0), at(far, 0)) : -1;
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
        if (reports >= 0 && (number + leg) % REPORT_EVERY == 1)
            report(reports, at(address, streams[leg].port + 1), leg, number);
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
