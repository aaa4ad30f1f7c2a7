namespace Polder.Graph.Store;

/// <summary>Whose an entry is, for when room is needed.</summary>
public enum GraphRank : byte
{
    /// <summary>A stranger brought it: goes first.</summary>
    Stranger,
    /// <summary>A contact brought it.</summary>
    Contact,
    /// <summary>The owner's: never goes.</summary>
    Own,
}
