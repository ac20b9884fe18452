using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace ClaimCheck.Service.Tests.Api;

/// <summary>A caller that takes an answer so slowly that most of it is still under way when its batch is revoked.</summary>
internal static class SlowReader
{
    /// <param name="http">Whose service.</param>
    /// <param name="path">What is read.</param>
    /// <param name="headers">More of them, each with its line end.</param>
    /// <param name="revoke">Begun once the answer has begun; it must succeed.</param>
    /// <returns>How many bytes came, head included, until the answer was cut off or ended.</returns>
    public static async Task<long> ReadAsync(ApiClient http, string path, string headers, Func<Task<Answer>> revoke)
    {
        using var client = new TcpClient { ReceiveBufferSize = 64 << 10 };
        await client.ConnectAsync(http.Address.Host, http.Address.Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n"));
        var buffer = new byte[16 << 10];
        long read = await stream.ReadAsync(buffer);
        Assert.StartsWith("HTTP/1.1 200", Encoding.ASCII.GetString(buffer, 0, 12), StringComparison.Ordinal);

        var watch = Stopwatch.StartNew();
        var revoking = revoke();
        try
        {
            // Slowly until well after the second it may take, and what a busy machine adds, and then all that is still under way.
            while (await stream.ReadAsync(buffer).AsTask().WaitAsync(TimeSpan.FromMinutes(2)) is > 0 and var got)
            {
                read += got;
                if (!revoking.IsCompleted)
                    watch.Restart();
                if (watch.Elapsed < TimeSpan.FromSeconds(5))
                    await Task.Delay(20);
            }
        }
        catch (IOException)
        {
            // Cut off.
        }

        Assert.Equal(200, (await revoking).Status);
        return read;
    }
}
