using Polder.Apps.Parcels.Codes;

namespace Polder.Apps.Parcels;

/// <summary>What one side remembers of codes, durably: a restart gives nobody a second guess.</summary>
public interface ICodeMemory
{
    /// <summary>
    /// Called by the receiver before its confirmation for a typed code goes out, at whatever place: it costs a guess. False when the budget of the
    /// code is gone.
    /// </summary>
    bool TrySpend(WormholeCode code);

    /// <summary>The other side proved that it knows the code: what was spent was no guess.</summary>
    void Proved(WormholeCode code);

    /// <summary>Somebody showed the sender a wrong confirmation: the code is not to be used again.</summary>
    void Burn(WormholeCode code);

    /// <summary>Whether it was.</summary>
    bool IsBurnt(WormholeCode code);
}
