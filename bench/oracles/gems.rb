# What Bundler says of a Gemfile, or RubyGems of a gemspec, as JSON: [[scope, name], ...].
require "bundler"
require "json"

# What came after the Bundler that is installed: names of platforms, options of methods.
platforms = Bundler::Dependency.const_defined?(:PLATFORM_MAP) ? Bundler::Dependency::PLATFORM_MAP : {}
unless platforms.key?(:windows)
  known = platforms.merge(windows: Gem::Platform::RUBY, mri_34: Gem::Platform::RUBY)
  Bundler::Dependency.send(:remove_const, :PLATFORM_MAP)
  Bundler::Dependency.const_set(:PLATFORM_MAP, known.freeze)
  Bundler::Dsl.send(:remove_const, :VALID_PLATFORMS)
  Bundler::Dsl.const_set(:VALID_PLATFORMS, known.keys.freeze)
end
class Bundler::Dsl
  alias super_keys valid_keys
  def ruby(*) = nil # the version of Ruby is no gem
  def valid_keys = super_keys + %w[force_ruby_platform]
end
if ARGV[1]
  Object.send(:remove_const, :RUBY_VERSION)
  RUBY_VERSION = ARGV[1]
end

DEVELOPMENT = %w[
  benchmark ci coverage cucumber debug dev development doc docs documentation integration lint
  linters linting mdl release rubocop spec style system_tests test tests tools
].freeze

def scope(groups)
  groups = groups.map(&:to_s)
  return "runtime" if groups.include?("default") || groups.include?("production")

  (groups & DEVELOPMENT).empty? ? "runtime" : "development"
end

def of_gemspec(spec)
  spec.dependencies.map { |one| [one.type == :runtime ? "runtime" : "development", one.name] }
end

path = File.expand_path(ARGV[0])
Dir.chdir(File.dirname(path))
said =
  if path.end_with?(".gemspec")
    of_gemspec(Gem::Specification.load(path) || abort("not loaded"))
  else
    dsl = Bundler::Dsl.new
    dsl.eval_gemfile(path)
    own = dsl.gemspecs.map(&:name)
    asked = dsl.dependencies.reject { |one| own.include?(one.name) }
    asked.map { |one| [scope(one.groups), one.name] } + dsl.gemspecs.flat_map { |one| of_gemspec(one) }
  end
puts JSON.generate(said.uniq)
