/* What a C library's call gives for a name: MODE is unspec, inet or byname. */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static double since(struct timespec *start) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - start->tv_sec) + (now.tv_nsec - start->tv_nsec) / 1e9;
}

static int by_name(const char *name) {
    char text[INET_ADDRSTRLEN];
    struct hostent *found = gethostbyname(name);
    if (!found) {
        printf("ERR h_errno=%d\n", h_errno);
        return 2;
    }
    printf("%s", found->h_name);
    for (char **one = found->h_addr_list; *one; one++)
        printf(" %s", inet_ntop(AF_INET, *one, text, sizeof text));
    puts("");
    return 0;
}

static int by_info(const char *name, int family) {
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM}, *found, *one;
    char text[INET6_ADDRSTRLEN];
    struct timespec start;
    int count = 0;
    clock_gettime(CLOCK_MONOTONIC, &start);
    int error = getaddrinfo(name, NULL, &hints, &found);
    printf("%.3fs ", since(&start));
    if (error) {
        printf("ERR %d %s\n", error, gai_strerror(error));
        return 2;
    }
    for (one = found; one; one = one->ai_next, count++) {
        void *address = one->ai_family == AF_INET
                            ? (void *)&((struct sockaddr_in *)one->ai_addr)->sin_addr
                            : (void *)&((struct sockaddr_in6 *)one->ai_addr)->sin6_addr;
        printf("%s ", inet_ntop(one->ai_family, address, text, sizeof text));
    }
    printf("n=%d\n", count);
    return 0;
}

int main(int argc, char **argv) {
    if (argc != 3) return 3;
    if (!strcmp(argv[1], "byname")) return by_name(argv[2]);
    return by_info(argv[2], strcmp(argv[1], "inet") ? AF_UNSPEC : AF_INET);
}
