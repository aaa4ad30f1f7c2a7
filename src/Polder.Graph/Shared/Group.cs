using System.Globalization;
using Polder.Graph.Json;
using Polder.Graph.Model;
using Polder.Graph.Sea;
using Polder.Graph.Sync;

namespace Polder.Graph.Shared;

/// <summary>
/// People who share a secret key that its owner deals out, sealed for each of them, in the own graph. Whoever is removed keeps what he
/// could read until then; everything from then on is under a new key that he is not given.
/// </summary>
/// <remarks><code>
/// ~owner/groups/NAME          epoch = number of the present key
/// ~owner/groups/NAME/members  PUB = epub of the member, null when removed
/// ~owner/groups/NAME/keys/N   PUB = the key of epoch N, sealed under the secret of owner and member
/// ciphertext                  "N:SEA{…}"
/// </code></remarks>
public sealed class Group
{
    private const int KeyCharacters = 48;

    private readonly SharedGraph _graph;
    private readonly string _owner, _name;
    private readonly SeaPair? _self;

    /// <summary>A group as one of its people sees it.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="owner">Who deals out the keys.</param>
    /// <param name="name">Its name.</param>
    /// <param name="self">Who reads, or deals; null for somebody outside.</param>
    public Group(SharedGraph graph, string owner, string name, SeaPair? self)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentException.ThrowIfNullOrEmpty(owner);
        ArgumentException.ThrowIfNullOrEmpty(name);
        (_graph, _owner, _name, _self) = (graph, owner, name, self);
    }

    /// <summary>The number of the present key; 0 where there is none yet.</summary>
    public int Epoch => _graph[Root].Get("epoch")?.AsNumber is { } epoch and > 0 and < int.MaxValue ? (int)epoch : 0;

    /// <summary>The members, the owner among them.</summary>
    public IEnumerable<string> Members() => [.. MemberKeys().Select(static member => member.Key)];

    /// <summary>Lets somebody in: from now on he can read what is written, and what was written under the present key. Said by the owner.</summary>
    /// <param name="pub">Who.</param>
    /// <param name="encryptionPub">His "epub".</param>
    public async Task AddAsync(string pub, string encryptionPub)
    {
        var own = Owner();
        if (SeaCipher.Secret(encryptionPub, own) is null) throw new ArgumentException("That is no public encryption key.", nameof(encryptionPub));
        var members = Here(own)["members"];
        if (Epoch == 0)
        {
            await members.PutAsync(own.Pub, own.EncryptionPub);
            await RotateAsync(own);
        }
        await members.PutAsync(pub, encryptionPub);
        if (KeyOf(Epoch) is { } key) await Here(own)["keys"][Number(Epoch)].PutAsync(pub, Seal(key, encryptionPub, own));
    }

    /// <summary>Takes somebody out, and deals a new key to the others. Said by the owner.</summary>
    public async Task RemoveAsync(string pub)
    {
        var own = Owner();
        if (pub == own.Pub) throw new ArgumentException("The owner stays; make another group.", nameof(pub));
        await Here(own)["members"].PutAsync(pub, GraphValue.Null);
        await RotateAsync(own);
    }

    /// <summary>Encrypts under the present key; null where we have none.</summary>
    public string? Encrypt(string text) => Epoch is > 0 and var epoch && KeyOf(epoch) is { } key ? Number(epoch) + ":" + SeaCipher.Encrypt(new JsonItem(text), key, _graph.Environment.Random) : null;

    /// <summary>Decrypts what a member encrypted; null where it is none of the group's, damaged, or of a time whose key we were not given.</summary>
    public string? Decrypt(string encrypted)
    {
        ArgumentNullException.ThrowIfNull(encrypted);
        var colon = encrypted.IndexOf(':', StringComparison.Ordinal);
        if (colon < 1 || !int.TryParse(encrypted.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out var epoch) || KeyOf(epoch) is not { } key
            || SeaCipher.TryDecrypt(encrypted[(colon + 1)..], key) is not { } value) return null;
        return SeaText.Plain(value, sorted: false);
    }

    private string Root => $"~{_owner}/groups/{_name}";

    private static string Number(int epoch) => epoch.ToString(CultureInfo.InvariantCulture);

    private SeaPair Owner() => _self is { } own && own.Pub == _owner ? own : throw new InvalidOperationException("Only the owner of a group deals out its keys.");

    private GraphReference Here(SeaPair own) => _graph.As(own)["groups"][_name];

    private List<(string Key, string EncryptionPub)> MemberKeys() =>
        [.. _graph[Root + "/members"].GetAll().Where(static member => member.Value.AsText is not null).Select(static member => (member.Key, member.Value.AsText!))];

    private string? KeyOf(int epoch)
    {
        if (_self is null || _graph[$"{Root}/keys/{Number(epoch)}"].Get(_self.Pub)?.AsText is not { } sealedKey) return null;
        var dealer = _self.Pub == _owner ? _self.EncryptionPub : _graph["~" + _owner].Get("epub")?.AsText ?? MemberKeys().Find(member => member.Key == _owner).EncryptionPub;
        return dealer is not null && SeaCipher.Secret(dealer, _self) is { } secret && SeaCipher.TryDecrypt(sealedKey, secret)?.AsText is { } key ? key : null;
    }

    private string Seal(string key, string encryptionPub, SeaPair own) => SeaCipher.Encrypt(new JsonItem(key), SeaCipher.Secret(encryptionPub, own)!, _graph.Environment.Random);

    private async Task RotateAsync(SeaPair own)
    {
        var epoch = Epoch + 1;
        var key = RandomNames.Text(_graph.Environment.Random, KeyCharacters);
        var sealedKeys = new List<KeyValuePair<string, GraphValue>>();
        foreach (var (pub, encryptionPub) in MemberKeys())
            if (SeaCipher.Secret(encryptionPub, own) is not null) sealedKeys.Add(new(pub, Seal(key, encryptionPub, own)));
        // First the keys, then the number: nobody is told of a key that is not there.
        await Here(own)["keys"][Number(epoch)].PutAsync(sealedKeys);
        await Here(own).PutAsync("epoch", (double)epoch);
    }
}
