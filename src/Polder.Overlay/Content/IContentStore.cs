namespace Polder.Overlay.Content;

/// <summary>Where content lies, whole or in part. Called on the loop; the tasks complete there.</summary>
public interface IContentStore
{
    /// <summary>The content of that name, if any of it is here.</summary>
    ValueTask<IStoredContent?> OpenAsync(ContentId id);

    /// <summary>Makes a place for content, or opens what is here of it already. Null: there is no room for it.</summary>
    ValueTask<IStoredContent?> CreateAsync(ContentSummary summary);

    /// <summary>Removes content, or what is here of it. False: there was none.</summary>
    ValueTask<bool> RemoveAsync(ContentId id);

    /// <summary>Everything that is here, whole or in part, ordered by name.</summary>
    ValueTask<IReadOnlyList<ContentSummary>> ListAsync();
}

/// <summary>One piece of content in a store. The same object as long as it is open.</summary>
public interface IStoredContent
{
    /// <summary>Its hashes and which leaves are here. Whoever writes a leaf adds its path before and notes the leaf after.</summary>
    LeafTree Tree { get; }

    /// <summary>Reads the bytes of a leaf, which the tree says is here, into a buffer of their length. False: the store cannot give them.</summary>
    ValueTask<bool> ReadAsync(int leaf, Memory<byte> bytes);

    /// <summary>Writes the bytes of a leaf. The memory is read until the task is done. False: no room.</summary>
    ValueTask<bool> WriteAsync(int leaf, ReadOnlyMemory<byte> bytes);

    /// <summary>Done when what was noted so far survives a crash.</summary>
    ValueTask FlushAsync();
}
