/* An application: waits on sockets. listen (tcp|udp|tcp6only|unix) ADDRESS PORT ... ; answers "hello". */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int opened(const char *kind, const char *address, int port) {
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    int is_six = strchr(address, ':') != NULL, stream = kind[0] == 't', one = 1, zero = 0;
    int fd = socket(is_six ? AF_INET6 : AF_INET, stream ? SOCK_STREAM : SOCK_DGRAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (is_six) {
        int only = strstr(kind, "6only") != NULL;
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, only ? &one : &zero, sizeof one);
        inet_pton(AF_INET6, address, &six.sin6_addr);
        if (bind(fd, (struct sockaddr *)&six, sizeof six)) _exit(3);
    } else {
        inet_pton(AF_INET, address, &four.sin_addr);
        if (bind(fd, (struct sockaddr *)&four, sizeof four)) _exit(4);
    }
    if (stream && listen(fd, 16)) _exit(5);
    return fd;
}

int main(int count, char **words) {
    struct pollfd waiting[32];
    int sockets = 0, stream[32];
    signal(SIGTERM, _exit);
    for (int word = 1; word + 2 < count && sockets < 32; word += 3, sockets++) {
        waiting[sockets].fd = opened(words[word], words[word + 1], atoi(words[word + 2]));
        waiting[sockets].events = POLLIN;
        stream[sockets] = words[word][0] == 't';
    }
    for (;;) {
        poll(waiting, sockets, -1);
        for (int each = 0; each < sockets; each++) {
            char buffer[2048];
            struct sockaddr_storage peer;
            socklen_t size = sizeof peer;
            if (!waiting[each].revents) continue;
            if (stream[each]) {
                int fd = accept(waiting[each].fd, NULL, NULL);
                if (fd >= 0 && write(fd, "hello\n", 6) >= 0) close(fd);
            } else if (recvfrom(waiting[each].fd, buffer, sizeof buffer, 0, (void *)&peer, &size) >= 0) {
                sendto(waiting[each].fd, "hello\n", 6, 0, (void *)&peer, size);
            }
        }
    }
}
