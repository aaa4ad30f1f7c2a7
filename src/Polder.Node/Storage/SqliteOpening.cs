namespace Polder.Node.Storage;

/// <summary>Opens the database of a node: makes it, brings it up to date, sets a damaged one aside, refuses another node's.</summary>
internal static class SqliteOpening
{
    private const int ReadCacheKibibytes = 4096;
    private const int BulkReadCacheKibibytes = 64 * 1024;
    /// <summary>Of new databases: a block has 200 to 300 bytes, and a page is what each of its index entries costs to write.</summary>
    private const int PageBytes = 4096;

    /// <inheritdoc cref="SqliteBlockStore.Open"/>
    public static SqliteBlockStore Open(string path, ReadOnlySpan<byte> owner, DateTimeOffset now, bool bulk)
    {
        string? setAside = null;
        if (File.Exists(path) && DatabaseCheck.IsDamaged(path)) setAside = DatabaseCheck.SetAside(path, now);
        SqliteBlockStore store;
        try { store = OpenSound(path, owner, bulk); }
        catch (StorageException problem) when (problem.IsDamage)
        {
            setAside = DatabaseCheck.SetAside(path, now);
            store = OpenSound(path, owner, bulk);
        }
        catch (IOException problem) { throw new NodeStartException(problem.Message, problem); }
        if (setAside is not null)
        {
            store.SetAside = setAside;
            store.RefuseSigning($"The database was damaged and was set aside as {Path.GetFileName(setAside)}. Nothing is signed until your chain was compared with what your peers hold.");
            store.Salvaged = DatabaseCheck.Salvage(setAside, store);
        }
        return store;
    }

    /// <inheritdoc cref="SqliteBlockStore.OpenReadOnly"/>
    public static SqliteBlockStore OpenReadOnly(string path)
    {
        try
        {
            var database = Database.Open(path, readOnly: true, ReadCacheKibibytes);
            try
            {
                var version = database.Number("PRAGMA user_version");
                if (version > Schema.Newest)
                    throw new NodeStartException($"{path} was written by a newer Polder (form {version}; this program knows {Schema.Newest}). Update the program.");
                if (version is > 0 && version < Schema.Newest)
                    throw new NodeStartException($"{path} was written by an older Polder (form {version}; this program writes {Schema.Newest}). Start the node once, which brings it up to date: polder run --data {Path.GetDirectoryName(Path.GetFullPath(path))}");
                return new SqliteBlockStore(path, database, StoreUse.Reading, []);
            }
            catch
            {
                database.Dispose();
                throw;
            }
        }
        catch (IOException problem) { throw new NodeStartException(problem.Message, problem); }
    }

    private static SqliteBlockStore OpenSound(string path, ReadOnlySpan<byte> owner, bool bulk)
    {
        // The log takes over the mode of the file, so the file is made first.
        if (!File.Exists(path)) Folders.DurableFile.Create(path);
        var database = Database.Open(path, cacheKibibytes: bulk ? BulkReadCacheKibibytes : ReadCacheKibibytes);
        try
        {
            database.Execute(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"PRAGMA page_size = {PageBytes}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"));
            Schema.Upgrade(database, path);
            var store = new SqliteBlockStore(path, database, bulk ? StoreUse.Bulk : StoreUse.Node, owner);
            if (store.TakeOwner(owner) is { } other)
            {
                store.Dispose();
                throw new NodeStartException(
                    $"{path} belongs to another node ({DatabaseCheck.NameOf(other)}) than the key beside it ({DatabaseCheck.NameOf(owner)}). "
                    + "Put the right identity.key back, or use another folder: --data DIR.");
            }
            return store;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }
}

/// <summary>What a store is opened for.</summary>
internal enum StoreUse
{
    /// <summary>A node's life.</summary>
    Node,
    /// <summary>Reading only.</summary>
    Reading,
    /// <summary>Millions of blocks one after the other.</summary>
    Bulk,
}
