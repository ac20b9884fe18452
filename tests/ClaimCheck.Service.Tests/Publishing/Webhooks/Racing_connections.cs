using System.Net;
using System.Net.Sockets;
using ClaimCheck.Service.Publishing.Webhooks;

namespace ClaimCheck.Service.Tests.Publishing.Webhooks;

/// <summary>Of several addresses the first that answers is taken, and none is waited for in vain.</summary>
public sealed class Racing_connections
{
    [Fact]
    public async Task An_address_that_swallows_everything_does_not_keep_the_next_one()
    {
        using var good = new TcpListener(IPAddress.Parse("127.0.0.2"), 0);
        good.Start();
        var hung = new List<IPAddress>();
        var addresses = Addresses_of_webhooks.Addresses(
            (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback, IPAddress.Parse("127.0.0.2")]),
            new() { AllowPrivateAddresses = true },
            async (address, token) =>
            {
                if (!IPAddress.Loopback.Equals(address.Address))
                    return await ConnectionRace.TcpAsync(address, token);
                hung.Add(address.Address);
                await Task.Delay(Timeout.Infinite, token); // as behind a firewall that drops
                throw new InvalidOperationException();
            });

        await using var stream = await addresses.ConnectAsync(
            new DnsEndPoint("hooks.example", ((IPEndPoint)good.LocalEndpoint).Port), default)
            .AsTask().WaitAsync(TimeSpan.FromMinutes(1));

        Assert.Equal("127.0.0.2", ((IPEndPoint)((NetworkStream)stream).Socket.RemoteEndPoint!).Address.ToString());
        Assert.Equal([IPAddress.Loopback], hung);
    }

    [Fact]
    public async Task Families_take_turns_a_failure_goes_on_at_once_and_private_addresses_are_not_tried()
    {
        var tried = new List<string>();
        var addresses = Addresses_of_webhooks.Addresses(
            (_, _) => Task.FromResult<IPAddress[]>(
                [.. new[] { "2606:4700::1", "2606:4700::2", "::1", "93.184.215.14", "10.0.0.1", "93.184.215.15" }
                    .Select(IPAddress.Parse)]),
            new(),
            (address, _) =>
            {
                tried.Add(address.Address.ToString());
                return Task.FromException<Stream>(new SocketException((int)SocketError.ConnectionRefused));
            },
            new NoTime());

        await Assert.ThrowsAsync<SocketException>(
            async () => await addresses.ConnectAsync(new DnsEndPoint("hooks.example", 443), default));

        Assert.Equal(["2606:4700::1", "93.184.215.14", "2606:4700::2", "93.184.215.15"], tried);
    }

    [Fact]
    public async Task The_first_that_connects_wins_and_the_others_are_closed()
    {
        var (time, slow, late) = (new NoTime(), new TaskCompletionSource<Stream>(), new MemoryStream());
        var tried = new List<string>();
        var addresses = Addresses_of_webhooks.Addresses(
            (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse("93.184.215.14"), IPAddress.Parse("93.184.215.15")]),
            new(),
            (address, token) =>
            {
                tried.Add(address.Address.ToString());
                if (tried.Count > 1)
                    return Task.FromResult<Stream>(new MemoryStream([7]));
                token.Register(() => slow.SetResult(late)); // it connects as it is told to stop
                return slow.Task;
            },
            time);

        var connecting = addresses.ConnectAsync(new DnsEndPoint("hooks.example", 443), default).AsTask();
        Assert.Equal(["93.184.215.14"], tried);
        Assert.Equal(TimeSpan.FromMilliseconds(250), time.Waits.Single());
        time.Pass();

        Assert.Equal(7, (await connecting).ReadByte());
        Assert.Equal(["93.184.215.14", "93.184.215.15"], tried);
        Assert.False(late.CanRead);
    }

    /// <summary>A clock on which waits end when the test says so.</summary>
    private sealed class NoTime : TimeProvider
    {
        private readonly List<Action> ends = [];

        public List<TimeSpan> Waits { get; } = [];

        public void Pass() => ends.ForEach(end => end());

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Waits.Add(dueTime);
            ends.Add(() => callback(state));
            return new Timer();
        }

        private sealed class Timer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
