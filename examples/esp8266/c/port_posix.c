/* The port for a host: TCP sockets. Arguments: address and port of the server. */
#define _POSIX_C_SOURCE 200809L

#include "port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_in server;
static int transport = -1;

uint32_t port_millis(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  /* Shortly before it wraps, so that every run has a wrap in it. */
  static uint64_t start;
  uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
  if (start == 0) start = ms + 1500;
  return (uint32_t)(ms - start);
}

bool port_random(uint8_t *bytes, size_t length) {
  FILE *file = fopen("/dev/urandom", "rb");
  size_t n = file ? fread(bytes, 1, length, file) : 0;
  if (file) fclose(file);
  return n == length;
}

int port_dial(void) {
  transport = socket(AF_INET, SOCK_STREAM, 0);
  if (transport >= 0 && connect(transport, (const struct sockaddr *)&server, sizeof server) == 0 &&
      fcntl(transport, F_SETFL, O_NONBLOCK) == 0) {
    return 0;
  }
  port_close();
  return -1;
}

static int none_or_lost(void) { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -1; }

int port_read(uint8_t *bytes, size_t room) {
  ssize_t n = recv(transport, bytes, room, 0);
  return n > 0 ? (int)n : n == 0 ? -1 : none_or_lost();
}

int port_write(const uint8_t *bytes, size_t length) {
  ssize_t n = send(transport, bytes, length, MSG_NOSIGNAL);
  return n >= 0 ? (int)n : none_or_lost();
}

void port_close(void) {
  if (transport >= 0) close(transport);
  transport = -1;
}

void port_wait(uint32_t ms) {
  struct pollfd waited = {.fd = transport, .events = POLLIN};
  poll(&waited, 1, (int)ms);
}

void port_print(const char *line) {
  puts(line);
  fflush(stdout);
}

void port_exit(int code) { exit(code); }

int main(int count, char **arguments) {
  server.sin_family = AF_INET;
  if (count != 3 || inet_pton(AF_INET, arguments[1], &server.sin_addr) != 1) {
    fputs("say where the server is: node 127.0.0.1 7070\n", stderr);
    return 2;
  }
  server.sin_port = htons((uint16_t)atoi(arguments[2]));
  return node();
}
