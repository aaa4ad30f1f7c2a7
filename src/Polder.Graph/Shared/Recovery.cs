using Polder.Graph.Json;
using Polder.Graph.Sea;
using Polder.Graph.Sync;

namespace Polder.Graph.Shared;

/// <summary>
/// The recommended way back into an account whose passphrase is lost: its keys lie once more in its own graph, sealed under a random key
/// that exists only as N shares with N people; any M of them, put together, open it. One mail account, one friend or one quiz is not enough.
/// </summary>
public static class Recovery
{
    /// <summary>Most shares that one secret is split into.</summary>
    public const int SharesMax = Shares.CountMax;

    private const int KeyBytes = 32;
    private const string Node = "recovery";

    /// <summary>Seals the keys anew and gives the shares: one for each helper, out of band. Shares of an earlier call are worth nothing afterwards on nodes that have heard of this one.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than two are needed, or more than there are, or more than 30 are made.</exception>
    public static async Task<IReadOnlyList<string>> CreateAsync(SharedGraph graph, SeaPair pair, int needed, int count)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(pair);
        var random = graph.Environment.Random;
        var (key, tag) = (new byte[KeyBytes], new byte[Shares.TagBytes]);
        random.Fill(key);
        random.Fill(tag);
        var shares = Shares.Split(key, needed, count, tag, random);
        var keys = JsonItem.Object(("priv", new JsonItem(pair.Priv)), ("epriv", new JsonItem(pair.EncryptionPriv)));
        await graph.As(pair)[Node].PutAsync([
            new("sealed", SeaCipher.Encrypt(keys, Convert.ToBase64String(key), random)), new("tag", Convert.ToHexString(tag)), new("needed", (double)needed), new("made", (double)count)]);
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(key);
        return shares;
    }

    /// <summary>The keys of the account with this public key, from enough shares; null with the reason where they do not open it.</summary>
    public static SeaPair? Open(SharedGraph graph, string pub, IReadOnlyList<string> shares, out string? problem)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(shares);
        var node = graph[$"~{pub}/{Node}"];
        if (node.Get("sealed")?.AsText is not { } sealedKeys || node.Get("tag")?.AsText is not { Length: 2 * Shares.TagBytes } tag || !tag.All(char.IsAsciiHexDigit))
        {
            problem = "This account has made no shares, or the node does not have them: follow the account first.";
            return null;
        }
        if (Shares.Join(shares, Convert.FromHexString(tag), out problem) is not { } key) return null;
        var opened = SeaCipher.TryDecrypt(sealedKeys, Convert.ToBase64String(key));
        if (opened?["priv"]?.AsText is { } priv && opened["epriv"]?.AsText is { } epriv && SeaPair.TryDerive(priv, epriv, out var pair) && pair.Pub == pub) return pair;
        problem = "The shares fit together but do not open the account.";
        return null;
    }
}
