using Polder.Graph.Json;
using Polder.Graph.Model;
using Polder.Graph.Sync;

namespace Polder.Graph.Sea;

/// <summary>
/// Accounts by alias and passphrase, as gun.js has them (gun.md §13): the keys lie in the user's own graph, encrypted under work done on the
/// passphrase, so that they can be opened on any node. Nobody can reset a passphrase.
/// </summary>
public static class Account
{
    private const int SaltCharacters = 64, CandidatesMax = 32;

    /// <summary>Makes an account and gives its keys.</summary>
    /// <exception cref="ArgumentException">The passphrase is shorter than eight characters, or the alias is empty.</exception>
    public static async Task<SeaPair> CreateAsync(SharedGraph graph, string alias, string passphrase)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentException.ThrowIfNullOrWhiteSpace(alias);
        CheckPassphrase(passphrase);
        var pair = SeaPair.Create(graph.Environment.Random);
        var auth = await SealAsync(graph, pair, passphrase);
        await graph.As(pair).PutAsync([new("pub", pair.Pub), new("alias", alias), new("epub", pair.EncryptionPub), new("auth", auth)]);
        await graph["~@" + alias].PutAsync("~" + pair.Pub, GraphValue.LinkTo("~" + pair.Pub));
        return pair;
    }

    /// <summary>The keys of the account with this alias that the passphrase opens; null where it opens none.</summary>
    /// <remarks>Several accounts may share an alias. Keys that do not belong to the account's public key are refused: somebody copied them there.</remarks>
    public static async Task<SeaPair?> LogInAsync(SharedGraph graph, string alias, string passphrase)
    {
        ArgumentNullException.ThrowIfNull(graph);
        foreach (var link in graph["~@" + alias].GetAll(CandidatesMax))
        {
            if (link.Value.AsLink is not ['~', .. var pub] || pub == "@") continue;
            if (await OpenAsync(graph, pub, passphrase) is { } pair) return pair;
        }
        return null;
    }

    /// <summary>Puts the same keys under another passphrase.</summary>
    public static async Task ChangePassphraseAsync(SharedGraph graph, SeaPair pair, string passphrase)
    {
        ArgumentNullException.ThrowIfNull(graph);
        CheckPassphrase(passphrase);
        await graph.As(pair).PutAsync("auth", await SealAsync(graph, pair, passphrase));
    }

    private static void CheckPassphrase(string passphrase)
    {
        if (passphrase is null || passphrase.Length < SeaLimits.PassphraseCharactersMin)
            throw new ArgumentException($"A passphrase has at least {SeaLimits.PassphraseCharactersMin} characters. Anybody can try to guess it, as fast as his machines go: take several words.");
    }

    private static async Task<SeaPair?> OpenAsync(SharedGraph graph, string pub, string passphrase)
    {
        var user = graph["~" + pub];
        if (user.Get("auth")?.AsText is not { } auth || SeaText.Parse(auth) is not { Kind: JsonKind.Object } item
            || item["s"]?.AsText is not { } salt || item["ek"] is not { } sealedKeys) return null;
        var keys = sealedKeys.Kind == JsonKind.Text ? SeaText.Parse(sealedKeys.Text) : sealedKeys;
        var opened = await graph.Environment.Workers.RunAsync(() => SeaCipher.TryDecrypt(keys, SeaWork.Derive(passphrase, salt)));
        return opened?["priv"]?.AsText is { } priv && opened["epriv"]?.AsText is { } epriv && SeaPair.TryDerive(priv, epriv, out var pair)
            && pair.Pub == pub && pair.EncryptionPub == user.Get("epub")?.AsText ? pair : null;
    }

    private static async Task<string> SealAsync(SharedGraph graph, SeaPair pair, string passphrase)
    {
        var salt = RandomNames.Text(graph.Environment.Random, SaltCharacters);
        var proof = await graph.Environment.Workers.RunAsync(() => SeaWork.Derive(passphrase, salt));
        var keys = JsonItem.Object(("priv", new JsonItem(pair.Priv)), ("epriv", new JsonItem(pair.EncryptionPriv)));
        return JsonText.Of(JsonItem.Object(("ek", SeaCipher.EncryptRaw(keys, proof, graph.Environment.Random)), ("s", new JsonItem(salt))));
    }
}
