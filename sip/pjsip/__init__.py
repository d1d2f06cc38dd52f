"""The PJSIP softphone: a real phone, not ours, for the demo, for line probes and for interop tests.

It runs in a process of its own (`python -m sip.pjsip.softphone`) and is spoken to in JSON lines;
`process.Softphone` is that process seen from outside and the only module here that others import. Why a
separate process:

- licence: PJSIP is GPL, the engine is Apache-2.0, so the two never share an address space;
- the `pjsua2-python` wheel is compiled for 4 calls a process: more phones are more processes;
- PJSIP has threads and a heap of its own: a crash of it must not be a crash of a node, and its callbacks
  must not fight the engine for the interpreter lock.

Commands, one JSON object a line on stdin. `do` names the command, `id` (optional) comes back in its `done` or
`failed` event; `call` is the phone's own number of the call, from 1:

    account   user domain node [password] [transport] [expires] [srtp]   who the phone is; nothing is sent yet
    register  the same fields                                      … and registers at `node` ("host:port")
    unregister
    call      target [headers]         a number of the account's domain, or a full URI
    ring      call [reliable]          180
    progress  call                     183 with SDP
    answer    call [code]              200
    hangup    call [code]              CANCEL, BYE or a rejection with `code`, whichever fits
    hold, resume   call
    dtmf      call digits [method]     `rfc4733` (default) or `info`
    transfer  call target              blind: REFER
    attended  call other               REFER with Replaces: the far ends of the two calls are joined
    play      call file [loop]         16-bit PCM WAV, starts when the call has media
    record    call file [sent]         what the phone hears, in time, silence where nothing is heard; and what
                                       it plays, where it is sent, if `sent`
    bridge    call other               both far ends hear each other
    stop      call [what]              `play`, `record` or both
    stats     call
    auto      [ring] [answer_after] [reject] [play] [record] [echo]
                                       what to do with incoming calls; empty: nothing; echo: they hear
                                       themselves
    ping
    quit

Events, one JSON object a line on stdout, each with `at` (CLOCK_MONOTONIC, the same in all processes):

    ready     pid transports            address of each transport registered, register_failed, unregistered
    status reason incoming  call source target headers progress  call status sdp           first of each
    provisional status answered  call post_dial_delay_s codec media     call state                `active`,
    `local_hold`, `remote_hold`, `none` played    call file dtmf      call digit method transfer  call status
    reason final  the far end's report on our REFER referred  call other target         the far end sent us a
    REFER and we follow it with call `other` replaced  call other                a call with Replaces took
    this one's place stats     call late_ms …            see `statistics.Quality`; late_ms: how long the phone
    had to wait for its
                                       turn on this machine, at most, since it was asked last
    ended     call status reason stats
    done, failed   id
    fault     reason                    a command that could not be read
"""
