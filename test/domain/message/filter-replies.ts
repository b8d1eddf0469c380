/** Refusals in the words of the filters that stand before other servers. Names and addresses are made up. */
import type { SampleReply } from "./bounce-replies.ts";

export const FILTER_REPLIES: readonly SampleReply[] = [
  [
    554,
    "5.7.1",
    "The message from (<a@shop.example>) with the subject of (Hello) matches a profile the Internet community may consider spam. Please revise your message before resending.",
    "spam",
  ],
  [421, "4.7.1", "Connection refused - 192.0.2.4 blocked by PDR: https://ipcheck.proofpoint.com/?ip=192.0.2.4", "reputation"],
  [550, "5.7.0", "Local Policy Violation - 5f3c.1", "policy"],
  [550, "5.7.1", "Message blocked due to malicious URL", "content"],
  [451, "", "Internal resources are temporarily unavailable - https://community.mimecast.com/docs/DOC-1369#451", "greylisting"],
  [550, "", "Rejected by header based manually Blocked Senders - https://community.mimecast.com/docs/DOC-1369#550", "policy"],
  [550, "", "Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550", "bad-address"],
  [554, "", "Email rejected due to security policies - https://community.mimecast.com/docs/DOC-1369#554", "policy"],
  [550, "", "Local CT IP Reputation Policy - https://community.mimecast.com/docs/DOC-1369#550", "reputation"],
  [550, "", "Anti-Spoofing policy - Inbound not allowed", "authentication"],
  [554, "", "Your access to this mail system has been rejected due to the sending MTA's poor reputation.", "reputation"],
  [
    554,
    "",
    "Service unavailable; Client host [192.0.2.4] blocked using Barracuda Reputation; http://www.barracudanetworks.example/",
    "reputation",
  ],
  [550, "", "permanent failure for one or more recipients (bob@there.example:blocked)", "policy"],
  [553, "", "Message filtered. Refer to the Troubleshooting page at https://www.symanteccloud.example/troubleshooting", "content"],
  [554, "", "Transaction failed Reject due to policy restrictions.", "policy"],
  [554, "", "Nemesis ESMTP Service not available No SMTP service IP address is block listed.", "reputation"],
  [550, "", "Mail content denied", "content"],
  [554, "5.7.0", "Reject, id=81-02 - INFECTED: Eicar-Test-Signature", "content"],
  [552, "5.7.0", "Attachments of this file type are not allowed", "content"],
  [554, "", "DT:SPM 163 smtp10,DsCowABX", "spam"],
];
