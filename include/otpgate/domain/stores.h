// All interfaces to the database that the domain declares, for those who need most of them. Implemented in store/.
#pragma once

#include "otpgate/domain/account_store.h"
#include "otpgate/domain/api_key_store.h"
#include "otpgate/domain/audit_store.h"
#include "otpgate/domain/key_holders.h"
#include "otpgate/domain/otp_store.h"
#include "otpgate/domain/outbox_admin_store.h"
#include "otpgate/domain/outbox_store.h"
#include "otpgate/domain/retention_store.h"
#include "otpgate/domain/session_store.h"
#include "otpgate/domain/signing_key_store.h"
#include "otpgate/domain/sms_budget_store.h"
#include "otpgate/domain/user_group_store.h"
#include "otpgate/domain/verification_store.h"
