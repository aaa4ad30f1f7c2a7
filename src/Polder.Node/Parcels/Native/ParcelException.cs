namespace Polder.Node.Parcels.Native;

/// <summary>Why a parcel did not arrive.</summary>
internal enum ParcelProblem
{
    /// <summary>The other side does not know the code: mistyped, or somebody guessed. The code is spent.</summary>
    WrongCode,
    /// <summary>A person, here or there, said no.</summary>
    Refused,
    /// <summary>The connection broke: both can meet again.</summary>
    Broken,
    /// <summary>The other side does not keep to the rules.</summary>
    Breach,
    /// <summary>A file changed since it was offered: sent again from the start when both meet again.</summary>
    Changed,
    /// <summary>The disk or a file refused.</summary>
    Disk,
    /// <summary>Nobody is there.</summary>
    Nobody,
}

/// <summary>A parcel that did not arrive, in words for people.</summary>
internal sealed class ParcelException(ParcelProblem kind, string words, Exception? inner = null) : Exception(words, inner)
{
    /// <summary>What kind of problem.</summary>
    public ParcelProblem Kind => kind;
}
