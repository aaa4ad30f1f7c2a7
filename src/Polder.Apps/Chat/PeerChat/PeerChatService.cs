using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Polder.Apps.Bundles.Letters;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Overlay;

namespace Polder.Apps.Chat.PeerChat;

/// <summary>Brings what contacts say by the SuperApp into the chat, and answers them there. What waits is sent again every 30 s while the other is online.</summary>
internal sealed class PeerChatService
{
    /// <summary>Bytes of a text that fits one datagram of the SuperApp.</summary>
    public const int TextBytesMax = 1000;
    private const int WaitingMax = 256, LookedBack = 200, FilesWantedMax = 32;

    private readonly NodeHost _host;
    private readonly ChatService _chat;
    private readonly ChatFiles _files;
    private readonly PeerChatCommunity _community;
    private readonly Dictionary<EventId, (PublicKey To, PeerChatText Text)> _waiting = [];
    private readonly Dictionary<string, (PublicKey From, string Name, string File, EventId Reply)> _wanted = [];
    private bool _isLate;

    public PeerChatService(NodeHost host, ChatService chat, ChatFiles files, PeerChatCommunity community)
    {
        (_host, _chat, _files, _community) = (host, chat, files, community);
        community.Trusts = chat.People.IsContact;
        community.Expects = (key, hash) => _wanted.TryGetValue(hash, out var wanted) && wanted.From == key;
        community.TextCame = TakeAsync;
        community.Acknowledged = Acknowledged;
        community.FileCame = (key, file) => _ = TakeFileAsync(key, file);
        chat.SendForeign = SendAsync;
        chat.IsForeign = community.IsForeign;
        LookBack();
    }

    /// <summary>Sends again what nobody acknowledged, and asks again for files. Every 30 s.</summary>
    public void Tick()
    {
        if (_isLate && _waiting.Count < WaitingMax) LookBack();
        foreach (var (to, text) in _waiting.Values) _community.SendText(to, text);
        foreach (var (hash, wanted) in _wanted) _community.RequestFile(wanted.From, hash);
    }

    private async Task<bool> SendAsync(Conversation conversation, StoredEvent stored)
    {
        var name = NameOf(stored.Id);
        _chat.Store.PutForeign(name, conversation.Peer!, stored.Id);
        _chat.Store.Put(new Delivery(stored.Id, conversation.Peer!, new LetterId(stored.Id.Hash), LetterStage.OnlyHere));
        // What is said is kept, and so is that it has to go this way.
        await _chat.Store.FlushAsync();
        if (_waiting.Count < WaitingMax) Send(stored, conversation.Peer!, name);
        else _isLate = true;
        return true;
    }

    private void Send(StoredEvent stored, PublicKey to, string name)
    {
        var text = PeerChatText.Of(name, stored.Content?.Text ?? "");
        _waiting[stored.Id] = (to, text);
        _community.SendText(to, text);
    }

    // After a restart, and when there is room again: what was said lately and never acknowledged.
    private void LookBack()
    {
        _isLate = false;
        foreach (var conversation in _chat.Store.Conversations().Where(static one => one.Foreign).OrderBy(static one => one.Id))
            foreach (var stored in _chat.Store.Page(conversation.Id, null, LookedBack))
            {
                if (stored.Author != _chat.Self || _waiting.ContainsKey(stored.Id) || _chat.Store.ForeignName(stored.Id) is not { } name
                    || _chat.Store.Deliveries(stored.Id) is not [{ Stage: LetterStage.OnlyHere }]) continue;
                if (_waiting.Count < WaitingMax) Send(stored, conversation.Peer!, name);
                else _isLate = true;
            }
    }

    private void Acknowledged(PublicKey from, string name)
    {
        if (_chat.Store.FindForeign(name, from) is not { } id || !_waiting.TryGetValue(id, out var waiting) || waiting.To != from) return;
        _waiting.Remove(id);
        _chat.Store.Put(new Delivery(id, from, new LetterId(id.Hash), LetterStage.Delivered));
        _ = FlushAsync(ConversationId.OfPair(_chat.Self, from));
    }

    private async Task FlushAsync(ConversationId id)
    {
        try { await _chat.Store.FlushAsync(); }
        catch (IOException) { /* It is acknowledged again when it is sent again. */ }
        _chat.Raise(id);
    }

    private async Task<bool> TakeAsync(PublicKey from, PeerChatText text)
    {
        if (_chat.Store.FindForeign(text.Name, from) is not null) return true;
        var words = Words(text);
        var hash = text.AttachmentType is "image" or "file" && text.Attachment.Length == 32 ? Convert.ToHexStringLower(text.Attachment) : null;
        var known = _chat.Store.Find(ConversationId.OfPair(_chat.Self, from)) ?? _chat.With(from);
        var id = Keep(known, from, text.Name, MessageContent.OfText(hash is null || words.Length > 0 ? words : text.AttachmentType == "image" ? "sends a picture" : "sends a file"));
        if (id is null) return false;
        if (hash is not null && text.AttachmentSize is >= 1 and <= EvaLimits.BytesMax && _wanted.Count < FilesWantedMax)
        {
            _wanted[hash] = (from, text.Name + "/file", text.AttachmentType == "image" ? "picture" : "file", id.Value.Id);
            _community.RequestFile(from, hash);
        }
        try { await _chat.Store.FlushAsync(); }
        catch (IOException) { return false; }
        _chat.Raise(known.Id);
        _chat.RaiseArrived(id.Value.Stored);
        return true;
    }

    private async Task TakeFileAsync(PublicKey from, PeerChatFile file)
    {
        if (!_wanted.TryGetValue(file.Hash, out var wanted) || wanted.From != from) return;
        // The name is the hash: what does not have it is not the file.
        if (file.Bytes.Length == 0 || Convert.ToHexStringLower(SHA256.HashData(file.Bytes.Span)) != file.Hash) return;
        _wanted.Remove(file.Hash);
        var secret = new byte[32];
        _chat.Random.Fill(secret);
        var key = new Hash256(secret);
        var sealedBytes = await _host.Environment.Workers.RunAsync(() => Seal(file.Bytes, key));
        if (await _host.Content.AddAsync(sealedBytes) is not { } content) return;
        var name = wanted.File + (SafeFile.PictureType(file.Bytes.Span) is { } type ? "." + type[(type.IndexOf('/', StringComparison.Ordinal) + 1)..] : "");
        var conversation = _chat.Store.Find(ConversationId.OfPair(_chat.Self, from));
        if (conversation is null) return;
        var attachment = new Attachment(content.Tree.Summary.Id, key, file.Bytes.Length, name, "");
        if (Keep(conversation, from, wanted.Name, MessageContent.OfText("", wanted.Reply, [attachment])) is not null) await FlushAsync(conversation.Id);
    }

    private static byte[] Seal(ReadOnlyMemory<byte> bytes, Hash256 key)
    {
        using var cipher = AttachmentCipher.Cipher(key);
        var result = new byte[AttachmentCipher.SealedBytes(bytes.Length)];
        for (var part = 0; part < AttachmentCipher.PartsOf(bytes.Length); part++)
        {
            var clear = bytes.Span.Slice(part * AttachmentCipher.PartBytes, Math.Min(AttachmentCipher.PartBytes, bytes.Length - part * AttachmentCipher.PartBytes));
            AttachmentCipher.Seal(cipher, bytes.Length, part, clear, result.AsSpan(part * (AttachmentCipher.PartBytes + AttachmentCipher.TagBytes), clear.Length + AttachmentCipher.TagBytes));
        }
        return result;
    }

    // Its place is behind everything that is here: the SuperApp knows no order, and nobody else sees this conversation.
    private (EventId Id, StoredEvent Stored)? Keep(Conversation conversation, PublicKey from, string name, MessageContent content)
    {
        if (content.Fault is not null) return null;
        var id = new EventId(Hash256.Of([.. "polder peerchat 1"u8, .. from.Bytes, .. Encoding.UTF8.GetBytes(name)]));
        var clock = Math.Min(_chat.Store.LastClock(conversation.Id) + 1, ChatLimits.ClockMax);
        var stored = new StoredEvent(conversation.Id, new EventOrder(clock, _chat.NowMilliseconds, id), from, (byte)MessageKind.Text, 0, 0, default, content.Target, [0], content.Write(), _chat.NowMilliseconds, false);
        if (!_chat.Store.Add(stored)) return null;
        _chat.Store.PutForeign(name, from, id);
        _chat.Store.Put(conversation with { Activity = stored.Arrived, Foreign = true });
        return (id, stored);
    }

    // What comes as JSON is said in words; nothing in it is followed.
    private static string Words(PeerChatText text)
    {
        if (text.AttachmentType is "" or "image" or "file") return text.Text;
        try
        {
            using var json = JsonDocument.Parse(text.Attachment, new JsonDocumentOptions { MaxDepth = 4 });
            string Of(string field) => json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty(field, out var value) ? value.ToString() : "";
            var what = text.AttachmentType switch
            {
                "contact" => $"[contact: {Of("name")}, key {Of("public_key")}]",
                "location" => $"[place: {Of("address_line")} ({Of("latitude")}, {Of("longitude")})]",
                "transfer_request" => $"[asks for {Of("amount")} euro cents: {Of("description")}]",
                _ => $"[{text.AttachmentType}]",
            };
            return text.Text.Length > 0 ? text.Text + "\n" + what : what;
        }
        catch (JsonException) { return text.Text.Length > 0 ? text.Text : $"[{text.AttachmentType}]"; }
    }

    // The SuperApp wants a UUID: the first bytes of the event's name, marked as version 4.
    private static string NameOf(EventId id)
    {
        var bytes = id.ToArray();
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes.AsSpan(0, 16), bigEndian: true).ToString();
    }
}
