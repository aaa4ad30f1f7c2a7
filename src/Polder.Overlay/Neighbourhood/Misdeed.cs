namespace Polder.Overlay.Neighbourhood;

/// <summary>What an authenticated peer did that lowers its score (OV-7.3). Unauthenticated packets never do: anybody could have sent them.</summary>
public enum Misdeed
{
    /// <summary>A bad signature inside a session: 1.0, which closes the door for a day.</summary>
    BadSignatureInSession,
    /// <summary>A malformed frame in a session: 0.5.</summary>
    MalformedFrame,
    /// <summary>A signed answer to nothing that we asked, from a peer that we did not write to lately: 0.05.</summary>
    UnaskedAnswer,
    /// <summary>More than its rate, inside a session: 0.02.</summary>
    RateLimit,
    /// <summary>Fraud that the ledger proved: 1.0, for good.</summary>
    LedgerFraud,
}
