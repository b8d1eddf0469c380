/** The configuration file that explains itself: every key, with what it does. A test holds it equal to the schema. */

const SERVER = `# Configuration of Posthorn.
#
# Lines that start with "# " explain; the other lines behind a "#" are settings to switch on by removing that "#".
# Durations are written as 90s, 7.5m, 72h or 1d; sizes as 25MB (millions of octets) or 25MiB (2^20).
# Relative file names start at the directory of this file.
#
# Any key can also come from the environment: POSTHORN_ and the path of the key, upper case, words apart by "_", levels
# apart by "__": POSTHORN_DATA_DIR, POSTHORN_LISTENERS__WEB__PORT, POSTHORN_ACCOUNTS__APP__PASSWORD. Lists are written
# as JSON. The environment wins over this file.
#
# Secrets (password, passwordHash, adminPassword, adminPasswordHash, authorization) can stand in files of their own:
# add "File" to the key and name the file, as in passwordFile: /run/secrets/app.

# Name of this server, as it greets other servers and writes it into Message-IDs.
hostName: mail.example.org

# Directory for everything that is stored: events, messages, views.
dataDir: ./data

# fatal, error, warn, info, debug, trace or silent.
logLevel: info

# Where events are stored. "embedded": in the data directory, nothing to install.
eventStore:
  kind: embedded

# Password of the admin API and pages; or adminPasswordHash, made by "posthorn config hash-password".
adminPassword: change-me
#adminPasswordHash: $scrypt$ln=15,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$ChPbD7iD2+6Q4PUF7nlzZ5EAYhKZR3zYB9ZAuSV2yRQ

# Largest message, with its files, in and out.
maxMessageSize: 25MB

# DNS resolvers, as 127.0.0.1 or [::1]:5353. Empty: those of the system.
dnsServers: []

# Whose word is taken that DNSSEC proves an answer. DANE, which protects mail to other servers, needs that.
# auto: resolvers that run on this machine and validate. trusted: dnsServers, wherever they are (the way to them must be
# safe). off: nobody's.
dnssec: auto
`;

const LISTENERS = `
# Where the server listens. The names are yours.
listeners:
  web:
    # http, smtp (takes mail from other servers) or submission (takes mail from logged-in clients).
    kind: http
    # One IP address; 0.0.0.0 for all of IPv4, "::" for all.
    address: 127.0.0.1
    port: 8080
    # PEM files; with them this port speaks HTTPS.
    #tls:
    #  certFile: /etc/posthorn/web.crt
    #  keyFile: /etc/posthorn/web.key
    # Whether passwords may come without TLS. Needed when a proxy in front does TLS.
    allowInsecureLogin: true
    # webapi (send mail), admin (queue, pages), metrics (/metrics and /healthz).
    services: [webapi, admin, metrics]
    # Put before every path, such as /mail for /mail/webapi/v0/.
    basePath: /
    # Whether X-Forwarded-For and X-Forwarded-Proto tell about the client; only behind a proxy that sets them.
    trustProxy: false
  #mx:
  #  kind: smtp
  #  address: 0.0.0.0
  #  port: 25
  #  # Certificate for STARTTLS.
  #  tls:
  #    certFile: /etc/posthorn/mail.crt
  #    keyFile: /etc/posthorn/mail.key
  #  maxConnections: 500
  #submission:
  #  kind: submission
  #  address: 0.0.0.0
  #  port: 465
  #  tls:
  #    certFile: /etc/posthorn/mail.crt
  #    keyFile: /etc/posthorn/mail.key
  #  # TLS from the first octet (port 465) instead of STARTTLS (port 587).
  #  implicitTls: true
  #  allowInsecureLogin: false
  #  maxConnections: 500
`;

const DOMAINS = `
# Domains that accounts may have addresses in.
domains:
  example.org:
    # What separates a tag from the local part: mail to app+tag@example.org is app@example.org's. Without it (null)
    # tags are not recognised, and unique senders (fromIdLoginAddresses) cannot be made.
    catchAllSeparator: "+"
    # A disabled domain neither sends nor receives.
    disabled: false
    # Keys to sign outgoing messages with (RSA or Ed25519, PEM).
    #dkim:
    #  - selector: mail2026
    #    keyFile: /etc/posthorn/mail2026.key
    #    # Header fields to sign; usually best left out.
    #    headers: [From, To, Subject, Date, Message-ID]
`;

const ACCOUNTS = `
# Who may send. The names are yours.
accounts:
  app:
    # Own addresses, which are also the logins; "@example.org" stands for every address of a domain.
    addresses: [app@example.org]
    # Or passwordFile, or passwordHash.
    password: change-me-too
    #passwordHash: $scrypt$ln=15,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$ChPbD7iD2+6Q4PUF7nlzZ5EAYhKZR3zYB9ZAuSV2yRQ
    # Name in From when a message comes without one.
    fullName: Example application
    # Limits for each 24 hours: messages, and addresses never written to before. A number or "unlimited".
    messagesPerDay: 1000
    firstTimeRecipientsPerDay: 200
    # What the account's messages may take on disk: a size or "unlimited". Beyond it no mail is taken in and no copies of
    # sent messages are kept; sending goes on.
    storageQuota: unlimited
    loginDisabled: false
    # Where to tell what became of messages.
    #outgoingWebhook:
    #  url: https://app.example.org/hooks/mail
    #  # Value of the Authorization header.
    #  authorization: Bearer change-me-as-well
    #  # delivered, suppressed, delayed, failed, relayed, expanded, canceled, unrecognized, complained. Empty: all but
    #  # complained (a recipient called the message spam), which other mail servers' webhooks do not have.
    #  events: [delivered, failed, suppressed]
    #  # latest: a newer event replaces a call that still waits. every: all events, in order for each message.
    #  mode: latest
    # Where to bring messages that arrive.
    #incomingWebhook:
    #  url: https://app.example.org/hooks/incoming
    #  authorization: Bearer change-me-as-well
    # Logins whose messages get a sender of their own for each recipient, so that every bounce finds its message.
    fromIdLoginAddresses: []
    # How long messages and webhook calls that are done stay visible; 0: not at all.
    keepRetiredMessagePeriod: 72h
    keepRetiredWebhookPeriod: 72h
    # How long mail in the mailboxes (Inbox, Drafts, Sent, Archive, Trash, Junk) is kept, counted from when it came; forever:
    # until the application deletes it.
    keepReceivedPeriod: forever
    # When nobody knows whether the other server took a message (the connection broke at the last moment):
    # retry (it may arrive twice), stop (it may never arrive) or wait (for an operator).
    uncertainDelivery: retry
`;

const OUTBOUND = `
# Ways to deliver. "direct", to the servers of the recipient's domain, is always there.
transports: {}
#transports:
#  relay:
#    # direct, smarthost (through another server) or fail (refuse at once).
#    kind: smarthost
#    host: relay.example.net
#    port: 587
#    # none, starttls or implicit.
#    tls: starttls
#    verifyCertificate: true
#    auth:
#      user: example
#      password: change-me-here
#    # As whom to appear there: name in EHLO, and addresses of this machine to dial from.
#    ehloName: out.example.org
#    localAddresses: [192.0.2.1]
#  campaigns:
#    kind: direct
#    port: 25
#    ehloName: campaigns.example.org
#    localAddresses: [192.0.2.2, "2001:db8::2"]
#  nowhere:
#    kind: fail
#    code: 550
#    message: We do not write to this domain

# Which transport for which message: the first route whose given keys all match. No route: direct.
routes: []
#routes:
#  - transport: nowhere
#    # example.com, or .example.com for everything below it.
#    recipientDomains: [.invalid]
#  - transport: relay
#    accounts: [app]
#    senderDomains: [example.org]
#    # From this attempt on.
#    minAttempt: 3

# Messages to keep back until somebody releases them; a rule matches when all its keys match.
holdRules: []
#holdRules:
#  - account: app
#    senderDomain: example.org
#    recipientDomain: example.com

# Mail from other servers, on listeners of the kind smtp.
receiving:
  # Account that gets mail for postmaster@ where no account has that address. Without it: the first in that domain.
  #postmaster: app
  # Mail that fails the DMARC policy "reject" of its From domain: reject refuses it, mark stores it in Junk.
  dmarc: reject
  # Connections at the same time from one IPv4 address or IPv6 /64.
  maxConnectionsPerAddress: 50
  # Recipients of one message.
  maxRecipients: 1000

# Mail from clients that log in over SMTP, on listeners of the kind submission.
submission:
  # Connections at the same time from one IPv4 address or IPv6 /64.
  maxConnectionsPerAddress: 100
  # Recipients of one message.
  maxRecipients: 1000

delivery:
  # SMTP transactions at the same time, in all and to one recipient domain.
  maxConcurrent: 200
  maxConcurrentPerDomain: 20
  # SMTP transactions started per minute to one recipient domain, or "unlimited". A domain that answers 421 gets fewer by
  # itself, and more again when it takes mail.
  maxPerMinutePerDomain: unlimited
  # Addresses of this machine to dial from; one of the other side's family is taken. Empty: the system chooses.
  localAddresses: []
  # Whether MTA-STS policies of recipients' domains are looked for and obeyed.
  mtaSts: true

webhooks:
  # Private networks that webhooks may call, such as 10.1.0.0/16. Public addresses need no entry.
  allowedNetworks: []
  # Calls at the same time, in all and to one host.
  maxConcurrent: 200
  maxConcurrentPerHost: 32
`;

/** A complete YAML file with a comment on each key. Valid as it is, and with every switched-off key switched on. */
export const exampleConfig = (): string => SERVER + LISTENERS + DOMAINS + ACCOUNTS + OUTBOUND;
