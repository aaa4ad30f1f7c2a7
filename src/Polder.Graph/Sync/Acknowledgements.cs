namespace Polder.Graph.Sync;

/// <summary>Sends acknowledgements once what they stand for is durable: those that gather while one group is written go with the next.</summary>
internal sealed class Acknowledgements(SharedGraph graph)
{
    private List<Action<string?>> _waiting = [], _writing = [];
    private bool _running;

    /// <summary>Calls back on the loop with null once everything merged so far is durable, or with why it is not.</summary>
    public void WhenDurable(Action<string?> then)
    {
        _waiting.Add(then);
        if (!_running) _ = RunAsync();
    }

    private async Task RunAsync()
    {
        _running = true;
        while (_waiting.Count > 0)
        {
            (_waiting, _writing) = (_writing, _waiting);
            string? problem = null;
            try { await graph.FlushAsync(); }
            catch (IOException failure) { problem = failure.Message; }
            foreach (var then in _writing) then(problem);
            _writing.Clear();
        }
        _running = false;
    }
}
