/* What a program gets from its C library for a name: its addresses, or the number of the error. */
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

int main(int argc, char **argv) {
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found, *one;
    char text[NI_MAXHOST];
    int error;

    if (argc != 2) return 2;
    error = getaddrinfo(argv[1], NULL, &hints, &found);
    if (error) {
        printf("error %d\n", error);
        return 0;
    }
    for (one = found; one; one = one->ai_next)
        if (!getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST))
            puts(text);
    freeaddrinfo(found);
    return 0;
}
