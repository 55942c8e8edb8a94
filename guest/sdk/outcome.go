package sdk

import "github.com/lectern-lms/lectern/guest/abi"

// Outcome is how SignIn, SignUp or CreateAccount ended. All but OutcomeOK
// leave everything as it was and are a person's mistake, not an error.
type Outcome = abi.Outcome

// SettingRememberDays is the setting that says for how many days a device can
// be remembered, "" if the site does not offer it.
const SettingRememberDays = abi.SettingRememberDays

// The outcomes, as package abi describes them.
const (
	OutcomeOK             = abi.OutcomeOK
	OutcomeWrong          = abi.OutcomeWrong
	OutcomeInactive       = abi.OutcomeInactive
	OutcomeLoginTaken     = abi.OutcomeLoginTaken
	OutcomeEmailTaken     = abi.OutcomeEmailTaken
	OutcomeLoginInvalid   = abi.OutcomeLoginInvalid
	OutcomeEmailInvalid   = abi.OutcomeEmailInvalid
	OutcomePasswordShort  = abi.OutcomePasswordShort
	OutcomePasswordCommon = abi.OutcomePasswordCommon
	OutcomePasswordLong   = abi.OutcomePasswordLong
	OutcomeThrottled      = abi.OutcomeThrottled
)
