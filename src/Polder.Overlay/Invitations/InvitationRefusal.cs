namespace Polder.Overlay.Invitations;

/// <summary>Why an invitation does not work.</summary>
public enum InvitationRefusal
{
    /// <summary>It does.</summary>
    None,
    /// <summary>The text is something else.</summary>
    NotAnInvitation,
    /// <summary>Part of it is missing or changed.</summary>
    Damaged,
    /// <summary>It was made by a newer program.</summary>
    NewerVersion,
    /// <summary>Its time is over.</summary>
    Expired,
    /// <summary>It belongs to another network.</summary>
    ForeignNetwork,
    /// <summary>We made it ourselves.</summary>
    Own,
    /// <summary>Somebody else used it before.</summary>
    Used,
    /// <summary>Whoever made it does not know it any more: withdrawn, or its memory is lost.</summary>
    Unknown,
    /// <summary>Whoever made it could not be reached yet; the node keeps trying.</summary>
    NotReached,
    /// <summary>Whoever made it cannot note at present that it is used.</summary>
    NotNow,
    /// <summary>More are waiting than are kept.</summary>
    TooMany,
}

/// <summary>Refusals in words.</summary>
public static class InvitationRefusals
{
    /// <summary>A sentence for people: what is wrong and what to do.</summary>
    public static string Explain(this InvitationRefusal refusal) => refusal switch
    {
        InvitationRefusal.None => "The invitation is good.",
        InvitationRefusal.NotAnInvitation => "This is no invitation. An invitation begins with \"peer:\" and was made by a Polder node.",
        InvitationRefusal.Damaged => "This invitation is damaged: a part is missing or was changed. Copy it again, or ask for a new one.",
        InvitationRefusal.NewerVersion => "This invitation was made by a newer Polder. Update the program.",
        InvitationRefusal.Expired => "This invitation has expired. Ask for a new one.",
        InvitationRefusal.ForeignNetwork => "This invitation belongs to another network than this node.",
        InvitationRefusal.Own => "This invitation was made by this very node. Give it to somebody else.",
        InvitationRefusal.Used => "This invitation was used by somebody else already; each works once. Ask for a new one.",
        InvitationRefusal.Unknown => "Whoever made this invitation does not know it any more. Ask for a new one.",
        InvitationRefusal.NotReached => "Whoever made this invitation cannot be reached at the moment. Your node keeps trying until it expires.",
        InvitationRefusal.NotNow => "Whoever made this invitation could not accept it just now. Your node keeps trying until it expires.",
        InvitationRefusal.TooMany => "Too many invitations are waiting. Withdraw some, or wait until they are used or expire.",
        _ => "This invitation does not work.",
    };
}
