/**
 * The table of bounce rules, in the order in which they are tried. Words come before codes, because servers say in words
 * what they fold into a handful of codes; words about the sender come before words about the recipient, because the
 * former quote the latter ("sender verify failed: user unknown").
 *
 * A rule's id is stored in events and shown: it never changes its meaning. Patterns meet lower-case text with single
 * spaces; they have no quantifier without a bound, so the work is linear in the text.
 */
import type { BounceClass } from "./bounce-class.ts";

/** A code, or a class of codes; `none`: nothing was read from a server. */
export type CodePattern = number | "none" | "4xx" | "5xx";

/** Everything that is given must agree. */
export type BounceRule = {
  readonly id: string;
  readonly class: BounceClass;
  readonly codes?: readonly CodePattern[];
  /** Of the enhanced code without its class: `1.1` of `5.1.1` (RFC 3463, RFC 7372 and their registry). */
  readonly enhanced?: RegExp;
  readonly text?: RegExp;
};

const ABOUT_THE_SENDER: readonly BounceRule[] = [
  // What this server finds out about a domain itself, or a far one like it in its own words, before the name is read as words.
  {
    id: "no-such-domain",
    class: "bad-address",
    text: /^the domain .{0,260}(?:does not exist|takes no mail|has neither)|null ?mx\b|nxdomain|host or domain name not found\. name service error .{0,300}: host not found(?!, try again)/,
  },
  // Before "policy" is read as somebody's rule.
  { id: "transport-security", class: "infrastructure", text: /mta-?sts|\bsts policy|\bdane\b|\btlsa\b/ },
  {
    id: "mail-loop",
    class: "loop",
    text: /\b(?:mail(?:ing)?|routing|forwarding|delivery) loop|loops? back to (?:myself|this server)|too many (?:hops|received[: -]|"received")|hop count exceeded|maximum hop/,
  },
  {
    id: "greylisted",
    class: "greylisting",
    codes: ["4xx", "none"],
    text: /gr[ea]y-?list|postgrey|internal resources are temporarily unavailable|first[- ]time sender|not yet authorized to deliver mail from/,
  },
  {
    id: "login-required",
    class: "infrastructure",
    codes: [530, 534, 535, 538],
    text: /authenticat|auth |starttls|credential|encryption|password/,
  },
  {
    id: "sender-unauthenticated",
    class: "authentication",
    text: /\bdmarc\b|\bdkim\b|\bdomainkeys\b|\bspf\b|sender policy framework|unauthenticated (?:e-?mail|mail|sender)|sender is unauthenticated|sender(?: is)? not authenticated as|required authentication level|authentication (?:checks?|requirements?|results?) (?:failed|did not|not met)|fails? authentication checks?|anti-?spoofing|spoofed/,
  },
  {
    id: "reverse-dns",
    class: "authentication",
    text: /reverse (?:dns|lookup|hostname)|\brdns\b|\bfcrdns\b|\bptr\b|cannot find your (?:reverse )?hostname|does not resolve to (?:your|the) (?:ip|address)|no reverse/,
  },
  {
    id: "sender-refused",
    class: "policy",
    text: /sender address (?:rejected|verification)|sender verif|verification failed for|callback setup failed|domain of sender address|bad sender|invalid sender|sender (?:domain )?(?:rejected|denied|must)|sender (?:is )?(?:blocked|blacklisted) by/,
  },
  {
    id: "no-such-user",
    class: "bad-address",
    text: /(?:user|recipient|mailbox|address|account|alias|local[- ]part)(?: address)?(?: is)? (?:unknown|not found|not known|does(?: not|n't|nt) exist|non-?existent)|(?:no such|unknown|unrecognized|non-?existent|invalid|bad destination) (?:user|recipient|mailbox|address|person|account|local[- ]part|e-?mail|destination)|recip(?:ient)?notfound|no mailbox here|doesn't have an? .{1,60} account|is not a (?:valid|known) (?:user|recipient|mailbox|address)|not (?:a valid|our) (?:user|recipient|mailbox|customer)|un(?:routeable|routable|deliverable) address|unverified address|email account that you tried to reach does not exist|recipient address rejected: access denied|mailbox unavailable or|not listed in (?:domino|public name)/,
  },
];

const ABOUT_THE_WAY_OF_SENDING: readonly BounceRule[] = [
  {
    id: "listed",
    class: "reputation",
    text: /spamhaus|spamcop|sorbs|barracudacentral|surriel|uceprotect|abusix|spfbl|invaluement|\b[a-z]?d?(?:rbl|nsbl|nswl)\b|black-?list|block-?list|block list|blocked using|deny ?list|\[bl\d\d\]|blocked by pdr|ipcheck\.proofpoint|banned (?:sending ip|sender)|block listed/,
  },
  {
    id: "poor-reputation",
    class: "reputation",
    text: /reputation|\[ts[s0]\d{1,2}\]|user complaints|permanently deferred|connections? (?:will )?not (?:be )?accepted from|traffic not accepted from this ip|not authorized to send e?mail directly|dynamic (?:ip|address)|residential ip|your (?:ip|ip address|network) (?:is|has been) (?:blocked|banned|listed)|(?:ip|host|client|server) (?:address )?\[?[0-9a-f.:]{3,45}\]? (?:is |has been )?(?:blocked|banned)/,
  },
  {
    id: "too-fast",
    class: "rate-limit",
    text: /rate[- ]?limit|rate limited|throttl|too (?:many|much) (?:connections|concurrent|sessions|messages|mails?|emails|requests|open connections)|(?:connection|message|sending|sending rate|frequency|volume)(?: rate)? (?:limit|quota|limited)|(?:limit|quota) (?:on|for|of) (?:messages|connections)|limits for how many messages|daily .{0,20}(?:limit|quota) exceeded|unusual rate|receiving mail (?:too quickly|at a rate)|(?:per|an?) (?:hour|minute|day) (?:exceeded|limit)|exceeded (?:the|your) (?:rate|maximum number of (?:connections|messages))|try again later, closing connection|server busy|slow down|unexpected volume/,
  },
  { id: "too-many-recipients", class: "rate-limit", text: /too many (?:recipients|rcpt)|recipients? (?:limit|count) (?:exceeded|is)/ },
];

const ABOUT_THE_MAILBOX: readonly BounceRule[] = [
  {
    id: "mailbox-full",
    class: "mailbox-full",
    text: /(?:mailbox|inbox|mail ?box|mail ?file|account|user|recipient|mail ?drop|maildir)(?:'s (?:mailbox|inbox))?.{0,40}(?:\bfull\b|over ?quota|out of storage|exceeded (?:its|the|their)?.{0,12}quota)|over (?:disk )?quota|quota (?:exceeded|is full|violation)|(?:exceed|exceeds|exceeded) .{0,24}(?:storage|quota)|out of (?:storage|quota|disk space)|overquota|mailbox size limit|storage (?:limit|allocation|space) |insufficient storage in/,
  },
  {
    id: "message-too-large",
    class: "too-large",
    text: /message (?:is |was )?(?:too (?:big|large|long)|size|length|exceed)|too (?:big|large) (?:a )?(?:message|mail|for)|size (?:limit|exceeds|is too)|exceeds? .{0,30}(?:message )?size|maximum (?:message |allowed |permitted )?size|exceeded .{0,30}size|recipsizelimit/,
  },
  {
    id: "mailbox-disabled",
    class: "inactive-mailbox",
    text: /(?:mailbox|account|user|recipient|address|e-?mail)(?: .{0,40})? (?:is|has been|was|are)(?: \w{1,12})? (?:disabled|inactive|suspended|deactivated|not active|closed|terminated|expired|locked|discontinued|frozen)|(?:disabled|inactive|suspended|deactivated|expired|locked) (?:mailbox|account|user|recipient)|(?:mailbox|account|user|recipient) (?:disabled|inactive|suspended|deactivated|closed|expired|locked)|no longer (?:active|in use|used|in service|with (?:us|the))|(?:address|mailbox) no longer accepts|not accepting (?:mail|messages) for this/,
  },
];

const ABOUT_THE_MESSAGE: readonly BounceRule[] = [
  {
    id: "malware",
    class: "content",
    text: /\bvirus|\bmalware|infected|\btrojan|phish|malicious|security (?:issue|threat)|eicar|dangerous/,
  },
  {
    id: "spam",
    class: "spam",
    text: /\bspam|junk ?mail|unsolicited|unwanted (?:mail|message)|\bube\b|\buce\b|bulk mail|dt:spm/,
  },
  {
    id: "content-refused",
    class: "content",
    text: /(?:attachment|file type|file extension|executable)s? .{0,40}(?:not (?:allowed|permitted|accepted)|blocked|banned|forbidden|prohibited)|(?:banned|forbidden|prohibited|illegal) (?:attachment|file|content)|(?:message|mail) (?:content|body|header)s? (?:rejected|denied|refused|not accepted)|content (?:rejected|denied|filter|policy|restrict)|(?:because|due to|of) .{0,20}(?:its|the|message) content|message filtered|unacceptable content|rejected .{0,24}\b(?:url|link)s?\b|blocked .{0,24}\burls?\b|invalid (?:mime|header)|multiple from|malformed (?:message|header)|not rfc ?(?:2|5)822/,
  },
];

const ABOUT_THE_RECIPIENT_AND_RULES: readonly BounceRule[] = [
  {
    id: "unknown-domain",
    class: "bad-address",
    text: /domain (?:name )?(?:not found(?!\. name service)|does not exist)|no such (?:domain|host)|unknown (?:domain|host)\b/,
  },
  {
    id: "mailbox-unavailable",
    class: "bad-address",
    codes: ["5xx"],
    text: /mailbox (?:is )?(?:unavailable|not available)|mailbox name (?:not allowed|invalid)|address (?:rejected: undeliverable|not (?:allowed|accepted|valid))|user not local|this (?:user|address|recipient) .{0,40}no longer/,
  },
  {
    id: "relay-denied",
    class: "policy",
    text: /relay(?:ing)? (?:access )?(?:is )?(?:denied|not (?:permitted|allowed)|prohibited|forbidden)|(?:unable|not permitted|not allowed|refus\w{1,4}|cannot) to relay|not? relay|do(?:es)? not relay|rcpthosts/,
  },
  {
    id: "policy-refused",
    class: "policy",
    text: /polic(?:y|ies)\b|administrative(?:ly)? (?:prohibit|restrict|prohibition|denied)|prohibited|blocked by (?:the )?(?:recipient|admin|user|organi)|blocked senders|:blocked\)|access denied|not authorized to send|not permitted to send|restricted|resolver\.rst|rejected by (?:the )?recipient|delivery not authorized|client was not authenticated|permission|not allowed to (?:send|post)|organization (?:rejected|restrict)/,
  },
  {
    id: "utf8-or-extension-missing",
    class: "protocol",
    text: /smtputf8|8bitmime|requiretls|internationali[sz]ed (?:mail|e-?mail|address)|eai (?:not|is not)|non-ascii (?:address|header)/,
  },
  {
    id: "command-refused",
    class: "protocol",
    text: /syntax error|(?:bad|out of) sequence|unrecognized command|command (?:not (?:recognized|implemented|allowed)|unrecognized|unknown)|protocol (?:error|violation)|improper (?:use|command)|helo command rejected|fully[- ]qualified|bare (?:cr|lf|newline)|too many (?:errors|unrecognized)|unexpected reply|line too long|pipelining/,
  },
  {
    id: "network-trouble",
    class: "infrastructure",
    text: /econn|etimedout|ehostunreach|enetunreach|epipe|eai_again|connection (?:refused|timed ?out|reset|closed|dropped|lost)|lost connection|(?:operation|session|greeting|conversation|connect) .{0,80}timed ?out|time-?out|timed out|no route to host|network (?:is )?unreachable|socket|could not (?:be )?(?:connect|reach)|unreachable/,
  },
  {
    id: "dns-trouble",
    class: "infrastructure",
    text: /\bdns\b|name service error|host not found, try again|servfail|temporary lookup failure|lookup (?:failed|failure)|name resolution|mail exchanger .{0,260}has no address|could not be (?:resolved|looked up)/,
  },
  {
    id: "tls-trouble",
    class: "infrastructure",
    text: /\btls\b|starttls|\bssl\b|certificate|handshake|encryption/,
  },
  {
    id: "system-trouble",
    class: "infrastructure",
    text: /temporar(?:y|ily) (?:local |system |server |internal |service )?(?:problem|error|failure|unavailable)|insufficient (?:system )?(?:storage|disk|resources)|(?:system|service|server|resources) (?:is |are )?(?:temporarily |currently )?(?:unavailable|not available|overloaded|shutting|down|busy)|(?:configuration|local|internal|database|server|queue file write|temporary) (?:error|failure)|disk (?:full|space)|out of (?:memory|resources)|overload|maintenance|shutting down|delivery temporarily suspended|load too high|retry timeout exceeded|delivery time expired/,
  },
];

/** What the enhanced code alone says. */
const BY_ENHANCED_CODE: readonly BounceRule[] = [
  { id: "enhanced-recipient", class: "bad-address", enhanced: /^(?:1\.(?:1|2|3|4|6|10)|7\.17|7\.18)$/ },
  { id: "enhanced-sender", class: "policy", enhanced: /^(?:1\.(?:7|8)|7\.27)$/ },
  { id: "enhanced-disabled", class: "inactive-mailbox", enhanced: /^2\.1$/ },
  { id: "enhanced-full", class: "mailbox-full", enhanced: /^2\.2$/ },
  { id: "enhanced-too-large", class: "too-large", enhanced: /^(?:2\.3|3\.4)$/ },
  { id: "enhanced-loop", class: "loop", enhanced: /^4\.(?:6|14)$/ },
  { id: "enhanced-recipient-count", class: "rate-limit", enhanced: /^(?:5\.3|7\.28)$/ },
  { id: "enhanced-authentication", class: "authentication", enhanced: /^7\.(?:2\d|29)$/ },
  { id: "enhanced-login", class: "infrastructure", enhanced: /^7\.(?:8|9|10|11|12)$/ },
  { id: "enhanced-protocol", class: "protocol", enhanced: /^(?:3\.3|5\.\d{1,3}|6\.(?:3|7|8|9)|7\.30)$/ },
  { id: "enhanced-content", class: "content", enhanced: /^6\.\d{1,3}$/ },
  { id: "enhanced-system", class: "infrastructure", enhanced: /^(?:2\.4|3\.\d{1,3}|4\.\d{1,3})$/ },
  { id: "enhanced-policy", class: "policy", enhanced: /^7\.\d{1,3}$/ },
];

/** What the code alone says (RFC 5321 section 4.2.3, RFC 7504); and what is left. */
const BY_CODE: readonly BounceRule[] = [
  { id: "code-mailbox", class: "bad-address", codes: [521, 550, 551, 553, 556] },
  { id: "code-storage", class: "mailbox-full", codes: [552] },
  { id: "code-system", class: "infrastructure", codes: [421, 451, 452, 454, "none"] },
  { id: "code-login", class: "infrastructure", codes: [530, 534, 535, 538] },
  { id: "code-protocol", class: "protocol", codes: [455, 500, 501, 502, 503, 504, 555] },
  { id: "other", class: "unknown" },
];

/** First match wins; the last matches everything. */
export const BOUNCE_RULES: readonly BounceRule[] = [
  ...ABOUT_THE_SENDER,
  ...ABOUT_THE_WAY_OF_SENDING,
  ...ABOUT_THE_MAILBOX,
  ...ABOUT_THE_MESSAGE,
  ...ABOUT_THE_RECIPIENT_AND_RULES,
  ...BY_ENHANCED_CODE,
  ...BY_CODE,
];
