#!/bin/sh
# Started by mod_fcgid, which hands its listening socket over in the place of the input, gives each process one request at a time,
# starts more where that is not enough, and ends those that are idle. So messages are sent by somebody who stays: `otpgate
# deliver`, in the background (etc/systemd/otpgate-deliver.service; on shared hosting a cron job that starts it where it is not
# running).
export OTPGATE_DELIVERY_MODE=outbox OTPGATE_SERVER_THREADS=2
exec /usr/local/bin/otpgate serve
