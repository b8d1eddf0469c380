/** Configuration of the Postfix that is measured beside Posthorn: Debian's defaults, except for where things are. */

export type PostfixPlaces = {
  readonly configDirectory: string;
  readonly queueDirectory: string;
  readonly dataDirectory: string;
  /** Takes mail and delivers it. */
  readonly port: number;
  /** Takes mail and puts it on hold. */
  readonly holdPort: number;
  readonly sinkPort: number;
};

/** Everything goes to the sink; nobody but loopback is listened to; nothing of the system's own Postfix is shared. */
export const mainCf = ({ queueDirectory, dataDirectory, sinkPort }: PostfixPlaces): string => `compatibility_level = 3.6
queue_directory = ${queueDirectory}
data_directory = ${dataDirectory}
myhostname = postfix.bench.example
mydestination =
alias_maps =
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:${sinkPort}
smtp_tls_security_level = none
smtpd_tls_security_level = none
biff = no
append_dot_mydomain = no
recipient_delimiter = +
`;

/** The services of Debian's master.cf that take part, none of them in a chroot. */
export const masterCf = ({ port, holdPort }: PostfixPlaces): string => `127.0.0.1:${port} inet n - n - - smtpd
127.0.0.1:${holdPort} inet n - n - - smtpd
  -o smtpd_client_restrictions=check_client_access,static:HOLD
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;
