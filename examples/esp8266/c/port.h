/* What a program needs of the machine that it runs on: a clock, one connection at a time, a console. */
#ifndef PORT_H
#define PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Milliseconds; wraps. */
uint32_t port_millis(void);
/* Random bytes that nobody can guess; false if there are none. */
bool port_random(uint8_t *bytes, size_t length);
/* Opens a connection to the server: 0 if there is one. */
int port_dial(void);
/* Takes what has come, without waiting: how many bytes, 0 if none, -1 if the connection is lost. */
int port_read(uint8_t *bytes, size_t room);
/* Writes what the connection takes, without waiting: how many bytes, -1 if the connection is lost. */
int port_write(const uint8_t *bytes, size_t length);
/* Closes the connection. */
void port_close(void);
/* Waits until something may have come, at most so long. */
void port_wait(uint32_t ms);
/* Prints a line. */
void port_print(const char *line);
/* Ends the program; on a chip this does not happen. */
void port_exit(int code);
/* The program. */
int node(void);

#endif
