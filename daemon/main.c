/* SPDX-License-Identifier: Apache-2.0
 *
 * tokentally: counts a company's AI tokens from Kafka into PostgreSQL. Start reading at docs/ARCHITECTURE.md.
 */
#include "autoconf.h"

#include "cli.h"

int main(int argc, char *argv[])
{
	return cli_main(argc, argv);
}
