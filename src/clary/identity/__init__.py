"""Who calls and what they may do: policies, conditions, sealed session tokens. Pure but for the sealing key's file."""
