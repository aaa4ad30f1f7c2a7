using Polder.Node.Operations;

namespace Polder.Host.Commands.People;

/// <summary>A conversation that stays open on a terminal: lines typed are said, what arrives is shown. An empty line or the end of input ends it.</summary>
internal static class LiveChat
{
    public static async Task<int> RunAsync(INodeOperations node, Terminal terminal, string who, ChatPage page, CancellationToken stop)
    {
        terminal.Note("Type and press Enter to say it; an empty line ends the chat.");
        var shown = page.Messages.Select(static message => message.Id).ToHashSet();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var watching = WatchAsync();
        try
        {
            while (!stop.IsCancellationRequested)
            {
                // The console cannot be cancelled: the reading thread ends with the process.
                var line = await Task.Run(Console.ReadLine, CancellationToken.None).WaitAsync(stop).ConfigureAwait(false);
                if (string.IsNullOrWhiteSpace(line)) break;
                try
                {
                    var said = await node.Chat.SendAsync(who, line, cancellation: stop).ConfigureAwait(false);
                    lock (shown) shown.Add(said.Id);
                }
                catch (OperationRefusedException refusal) { terminal.Problem(Terminal.Clean(refusal.Message)); }
            }
        }
        finally
        {
            await end.CancelAsync().ConfigureAwait(false);
            try { await watching.ConfigureAwait(false); }
            catch (Exception problem) when (problem is OperationCanceledException or OperationRefusedException) { }
        }
        return CommandLine.Done;

        async Task WatchAsync()
        {
            for (long seen = 0; ;)
            {
                seen = await node.WaitForChangeAsync(seen, end.Token).ConfigureAwait(false);
                var now = await node.Chat.ShowAsync(who, count: 30, seen: true, cancellation: end.Token).ConfigureAwait(false);
                lock (shown)
                    foreach (var message in now.Messages)
                        if (shown.Add(message.Id)) ChatCommands.Show(terminal, message);
                await Task.Delay(200, end.Token).ConfigureAwait(false);
            }
        }
    }
}
