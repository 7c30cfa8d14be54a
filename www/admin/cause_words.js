// The likely cause of cause.js in plain words, and what helps.

import { t } from "../js/language.js";
import { dayAndTime } from "../js/words.js";

const when = (text) => dayAndTime(new Date(text));

const counted = {
  guesses: () => t("wrong codes"),
  guesses_by_devices: () => t("wrong codes, from known devices"),
  requests: () => t("codes asked for"),
  requests_by_devices: () => t("codes asked for, from known devices"),
  passwords: () => t("wrong passwords"),
  passwords_by_devices: () => t("wrong passwords, from known devices"),
  changes: () => t("codes for another address"),
  passkey_sign_ins: () => t("sign-ins by passkey"),
  second_steps: () => t("wrong codes of an authenticator app"),
  second_steps_by_devices: () => t("wrong codes of an authenticator app, from known devices"),
  recovery_guesses: () => t("recovery codes tried"),
  recovery_sets: () => t("recovery codes made"),
};

export function countedWords(name) {
  return counted[name]?.() ?? name;
}

const reasonOf = ({ reason }) => reason ?? t("no reason was given");

const causes = {
  disabled: ({ at }) => at
    ? t("The account is disabled, since {time}. Enable it if that was a mistake.", { time: when(at) })
    : t("The account is disabled. Enable it if that was a mistake."),
  undeliverable: (cause) => cause.channel === "email"
    ? t("The mail server refused the code for {address}: {reason}", { address: cause.destination, reason: reasonOf(cause) })
    : t("The SMS gateway refused the code for {address}: {reason}", { address: cause.destination, reason: reasonOf(cause) }),
  retrying: (cause) => cause.channel === "email"
    ? t("The mail server does not take the code for {address} yet, and is asked again: {reason}", { address: cause.destination, reason: reasonOf(cause) })
    : t("The SMS gateway does not take the code for {address} yet, and is asked again: {reason}", { address: cause.destination, reason: reasonOf(cause) }),
  spent: (cause) => t("A limit is spent until {time}: {counted}. Clear the limits if this is really the owner.", { time: when(cause.until), counted: countedWords(cause.counted) }),
  factor: ({ at }) => t("The code was right ({time}), but the account wants a passkey or an authenticator app as well. Whoever has lost it needs them removed.", { time: when(at) }),
  wrong: ({ at }) => t("A wrong code was entered ({time}). Only the newest message counts.", { time: when(at) }),
  delivered: ({ at, destination }) => t("The code was taken for {address} ({time}) and not entered yet. Look into the spam folder, and whether the address is right.", { address: destination, time: when(at) }),
  refused: ({ at }) => t("The sign-in was refused ({time}): the account may not enter here. Look at its groups.", { time: when(at) }),
  well: ({ at }) => t("Nothing is wrong: the last sign-in was {time}.", { time: when(at) }),
  quiet: ({ at }) => at
    ? t("Nobody asked for a code at this address lately; the last sign-in was {time}. Is it typed as it stands here?", { time: when(at) })
    : t("Nobody asked for a code at this address lately, and nobody ever signed in with it. Is it typed as it stands here?"),
};

export function causeWords(cause) {
  return causes[cause.kind](cause);
}
