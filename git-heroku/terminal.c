/* SPDX-License-Identifier: ISC */
#include "terminal.h"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "err.h"

static struct {
	struct termios before;
	bool known, raw;
} terminal;

bool terminal_is_there(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

void terminal_size(unsigned *columns, unsigned *rows)
{
	struct winsize size = { 0 };

	*columns = 80;
	*rows = 24;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		return;
	if (size.ws_col)
		*columns = size.ws_col;
	if (size.ws_row)
		*rows = size.ws_row;
}

int terminal_raw(void)
{
	struct termios t;

	if (!terminal.known && tcgetattr(STDIN_FILENO, &terminal.before))
		return err_sys("the terminal");
	terminal.known = true;
	t = terminal.before;
	cfmakeraw(&t);
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &t))
		return err_sys("the terminal");
	terminal.raw = true;
	return 0;
}

void terminal_restore(void)
{
	if (terminal.raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal.before);
	terminal.raw = false;
}
